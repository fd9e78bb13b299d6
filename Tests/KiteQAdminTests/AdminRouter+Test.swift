import KiteQBroker
import Logging

@testable import KiteQAdmin

extension AdminRouter {
    /// The routes of an administration; nobody is served by them.
    static func forTest(_ services: AdminServices) -> AdminRouter {
        let logger = Logger(label: "test")
        return AdminRouter(
            probe: ProbeRoutes(
                probe: AdminProbe(services.broker), metrics: PrometheusMetrics(), services: services,
                memory: RequestMemory(AdminLimits()), acceptFailures: AcceptFailures("admin.bind", logger: logger),
                refusals: HTTPRefusals(logger: logger)),
            services: services, memory: RequestMemory(AdminLimits()), refusals: HTTPRefusals(logger: logger),
            tls: AdminTLS(nil), logger: logger)
    }
}
