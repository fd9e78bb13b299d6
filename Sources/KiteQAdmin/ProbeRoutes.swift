import HTTPTypes
import Hummingbird
import KiteQBroker

/// `/healthz`, `/readyz` and `/metrics`: for orchestrators and Prometheus, without a token.
struct ProbeRoutes {
    let probe: AdminProbe
    let metrics: PrometheusMetrics
    /// How long `/readyz` waits for the store before it says that it does not answer.
    let readinessLimit: Duration
    let acts = ActCounts()
    private let version: String?
    private let figures: StoreFigures?

    /// - Parameter services: nil: there is no API.
    init(probe: AdminProbe, metrics: PrometheusMetrics, services: AdminServices?, readinessLimit: Duration) {
        self.probe = probe
        self.metrics = metrics
        self.readinessLimit = readinessLimit
        version = services?.version
        figures = services.map(StoreFigures.init)
    }

    func add(to router: Router<AdminContext>) {
        let (probe, limit) = (self.probe, readinessLimit)
        router.get("healthz") { _, _ in Self.text(.ok, "ok\n") }
        router.get("readyz") { _, _ in
            let reason = await Self.whyNotReady(probe, within: limit)
            // They do not keep it from serving, but somebody has to mend them.
            let incidents = probe.status()?.clockIncidents ?? []
            let text = ([reason ?? "ready"] + incidents).map { "\($0)\n" }.joined()
            return Self.text(reason == nil ? .ok : .serviceUnavailable, text)
        }
        router.get("metrics") { _, _ in Self.text(.ok, page(), contentType: PrometheusText.contentType) }
    }

    private func page() -> String {
        var page = PrometheusText()
        if let version {
            page.split("kiteq_build_info", .gauge, "1; the label has the version.", by: "version", [(version, 1)])
        }
        page.single(
            "kiteq_registry_connected", .gauge, "1 while the registry can be reached.",
            probe.isRegistryConnected() ? 1 : 0)
        BrokerMetrics.write(probe.status(), to: &page)
        if let figures {
            figures.write(to: &page)
            acts.write(to: &page)
        }
        ProcessMetrics.write(to: &page)
        metrics.write(to: &page)
        return page.text
    }

    /// A store that hangs must not hang the answer: whoever asks gives up after a few seconds and learns nothing.
    private static func whyNotReady(_ probe: AdminProbe, within limit: Duration) async -> String? {
        await withTaskGroup(of: String?.self) { tasks in
            tasks.addTask { await probe.whyNotReady() }
            tasks.addTask {
                do {
                    try await Task.sleep(for: limit)
                    return "the store does not answer within \(limit)"
                } catch {
                    return nil  // The other answer came first; this one is not read.
                }
            }
            defer { tasks.cancelAll() }
            return await tasks.next() ?? nil
        }
    }

    private static func text(
        _ status: HTTPResponse.Status, _ body: String, contentType: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: contentType, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: body)))
    }
}
