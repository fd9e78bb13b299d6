import Glibc
import Hummingbird
import HummingbirdCore
import KiteQBroker
package import Logging
import NIOCore
import ServiceLifecycle

/// The broker's HTTP server: the probe, metrics, the console and the API.
///
/// It answers while the broker starts and stops, so that `/readyz` can say so. What it limits: ``AdminLimits``, the size of
/// bodies, the rows that a request may cost the store.
package struct AdminServer: Service {
    private let host: String
    private let port: Int
    private let tls: AdminTLS
    private let limits: AdminLimits
    private let acceptFailures: AcceptFailures
    private let router: AdminRouter
    private let refusals: HTTPRefusals
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void

    /// - Parameters:
    ///   - port: 0 picks a free one.
    ///   - services: nil: the probe and metrics alone.
    ///   - onListening: called with the port once it answers.
    package init(
        host: String, port: Int, tls: AdminTLS = AdminTLS(nil), limits: AdminLimits = AdminLimits(),
        probe: AdminProbe, metrics: PrometheusMetrics, services: AdminServices? = nil, logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.host = host
        self.port = port
        self.tls = tls
        self.limits = limits
        let memory = RequestMemory(limits)
        acceptFailures = AcceptFailures("admin.bind", logger: logger)
        refusals = HTTPRefusals(logger: logger)
        router = AdminRouter(
            probe: ProbeRoutes(
                probe: probe, metrics: metrics, services: services, memory: memory, acceptFailures: acceptFailures,
                refusals: refusals),
            services: services, memory: memory, refusals: refusals, tls: tls, logger: logger)
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until the graceful shutdown.
    /// - Throws: `BrokerError` where it cannot listen.
    package func run() async throws {
        let (onListening, acceptFailures) = (self.onListening, acceptFailures)
        let app = Application(
            router: makeRouter(), server: server,
            configuration: .init(
                address: .hostname(host, port: port), serverName: "kiteq"),
            onServerRunning: { channel in
                await Self.rest(channel, acceptFailures)
                onListening(channel.localAddress?.port ?? 0)
            },
            logger: quiet)
        do {
            try await JSONText.$bodyTime.withValue(limits.bodyTime) { try await app.run() }
        } catch let error as IOError {
            throw BrokerError(
                "the administration cannot listen on \(host):\(port): \(String(cString: strerror(error.errnoCode)))")
        }
    }

    /// Before what the server does itself where a connection cannot be accepted.
    private static func rest(_ channel: any Channel, _ failures: AcceptFailures) async {
        do {
            try await channel.eventLoop.submit {
                try channel.pipeline.syncOperations.addHandler(AcceptPause(failures), position: .first)
            }.get()
        } catch {
            // It was told to stop in the meantime: nobody is accepted any more.
        }
    }

    var server: HTTPServerBuilder {
        let (tls, limits, refusals) = (tls, limits, refusals)
        return HTTPServerBuilder { responder in
            AdminChannel(responder, tls: tls, limits: limits, refusals: refusals)
        }
    }

    func makeRouter() -> Router<AdminContext> { router.make() }

    /// Hummingbird says at `info` what we say in one line of our own.
    private var quiet: Logger {
        var logger = self.logger
        if logger.logLevel < .warning, logger.logLevel > .debug { logger.logLevel = .warning }
        return logger
    }
}
