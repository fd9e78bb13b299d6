import KiteQCore
import Logging
import ServiceLifecycle

@testable import KiteQAdmin

/// The administration on a port of its own, for the time of a test.
enum LiveAdmin {
    static func serving(
        tls: AdminTLS = AdminTLS(nil), services: AdminServices? = nil, limit: (inout AdminLimits) -> Void = { _ in },
        _ body: @escaping @Sendable (_ port: Int) async throws -> Void
    ) async throws {
        var limits = AdminLimits()
        limit(&limits)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let (started, listening) = AsyncStream<Int>.makeStream()
        let server = AdminServer(
            host: "127.0.0.1", port: 0, tls: tls, limits: limits,
            probe: AdminProbe(readiness: { Readiness([]) }, status: { nil }), metrics: PrometheusMetrics(),
            services: services,
            logger: logger, onListening: { listening.yield($0) })
        let group = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { listening.finish() }
                try await group.run()
            }
            for await port in started {
                try await body(port)
                break
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
