import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore

/// `/healthz`, `/readyz` and `/metrics`: for orchestrators and Prometheus, without a token where they call the broker by a name of its
/// own; the last with one where `admin.metrics` says so.
struct ProbeRoutes {
    let probe: AdminProbe
    let metrics: PrometheusMetrics
    let acts = ActCounts()
    private let refusals: HTTPRefusals
    private let version: String?
    private let figures: StoreFigures?
    private let memory: RequestMemory
    private let acceptFailures: AcceptFailures

    /// - Parameters:
    ///   - services: nil: there is no API.
    ///   - acceptFailures: of the administration's address.
    init(
        probe: AdminProbe, metrics: PrometheusMetrics, services: AdminServices?, memory: RequestMemory,
        acceptFailures: AcceptFailures, refusals: HTTPRefusals
    ) {
        self.probe = probe
        self.refusals = refusals
        self.metrics = metrics
        self.memory = memory
        self.acceptFailures = acceptFailures
        version = services?.version
        figures = services.map(StoreFigures.init)
    }

    /// - Parameter metrics: where `/metrics` goes, which may ask for a token.
    func add(to router: RouterGroup<AdminContext>, metrics: RouterGroup<AdminContext>) {
        let probe = self.probe
        router.get("healthz") { _, _ in Self.text(.ok, "ok\n") }
        router.get("readyz") { request, _ in
            var rule = ShardRule(requiresAll: probe.requiresAllShards)
            if let named = request.uri.queryParameters["shards"] {
                guard let named = ShardRule(rawValue: String(named)) else {
                    return Self.text(.badRequest, "shards is all or any\n")
                }
                rule = named
            }
            return Self.answer(probe.readiness(), rule, clockIncidents: probe.status()?.clockIncidents ?? [])
        }
        metrics.get("metrics") { _, _ in Self.text(.ok, page(), contentType: PrometheusText.contentType) }
    }

    private func page() -> String {
        var page = PrometheusText()
        if let version {
            page.split("kiteq_build_info", .gauge, "1; the label has the version.", by: "version", [(version, 1)])
        }
        page.single(
            "kiteq_registry_connected", .gauge, "1 while the registry can be reached.",
            probe.isRegistryConnected() ? 1 : 0)
        BrokerMetrics.write(probe.readiness(), to: &page)
        BrokerMetrics.write(probe.status(), to: &page)
        if let figures {
            figures.write(to: &page)
            acts.write(to: &page)
        }
        page.split(
            "kiteq_accept_failures_total", .counter,
            "Connections that could not be accepted for want of file descriptors, by address.", by: "address",
            [("admin", acceptFailures.count), ("broker", probe.status()?.acceptFailures ?? 0)])
        page.split(
            "kiteq_http_memory_bytes", .gauge, "Bytes of requests' bodies and of answers to pulls, in memory.",
            by: "kind", [("bodies", memory.bodies.taken), ("answers", memory.answers.taken)])
        page.split(
            "kiteq_http_memory_refusals_total", .counter, "Requests for which there was no room in memory.",
            by: "kind", [("bodies", memory.bodies.refusals), ("answers", memory.answers.refusals)])
        refusals.write(to: &page)
        ProcessMetrics.write(to: &page)
        metrics.write(to: &page)
        return page.text
    }

    /// How many shards a broker must be able to use to be called ready.
    private enum ShardRule: String {
        case all, any

        init(requiresAll: Bool) { self = requiresAll ? .all : .any }
    }

    /// A broker that serves with some of its shards is of more use than none: the body says which it does without.
    ///
    /// - Parameter clockIncidents: they do not keep it from serving, but somebody has to mend them.
    private static func answer(_ readiness: Readiness, _ rule: ShardRule, clockIncidents: [String]) -> Response {
        let why = readiness.sentence ?? "no reason is known"
        func body(_ first: String) -> String {
            ([first] + clockIncidents).map { "\(VisibleText.escaped($0))\n" }.joined()
        }
        return switch readiness.state {
        case .ready: text(.ok, body("ready"))
        case .degraded: text(rule == .all ? .serviceUnavailable : .ok, body("degraded: \(why)"))
        case .notReady: text(.serviceUnavailable, body(why))
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
