import HTTPTypes
import Hummingbird
import KiteQBroker

/// `/healthz`, `/readyz` and `/metrics`: for orchestrators and Prometheus, without a token.
struct ProbeRoutes {
    let probe: AdminProbe
    let metrics: PrometheusMetrics
    /// How long `/readyz` waits for the store before it says that it does not answer.
    let readinessLimit: Duration

    func add(to router: Router<AdminContext>) {
        let (probe, metrics, limit) = (self.probe, self.metrics, readinessLimit)
        router.get("healthz") { _, _ in Self.text(.ok, "ok\n") }
        router.get("readyz") { _, _ in
            guard let reason = await Self.whyNotReady(probe, within: limit) else { return Self.text(.ok, "ready\n") }
            return Self.text(.serviceUnavailable, "\(reason)\n")
        }
        router.get("metrics") { _, _ in
            var page = PrometheusText()
            BrokerMetrics.write(probe.status(), to: &page)
            ProcessMetrics.write(to: &page)
            metrics.write(to: &page)
            return Self.text(.ok, page.text, contentType: PrometheusText.contentType)
        }
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
