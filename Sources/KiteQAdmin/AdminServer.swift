import Glibc
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import KiteQBroker
package import Logging
import NIOCore
package import NIOSSL
import ServiceLifecycle

/// The broker's HTTP server: the probe, metrics, the console and the API.
///
/// It answers while the broker starts and stops, so that `/readyz` can say so. What it limits: connections, the size of
/// headers and bodies, the time that a body may take, the rows that a request may cost the store.
package struct AdminServer: Service {
    private let host: String
    private let port: Int
    private let tls: TLSConfiguration?
    private let router: AdminRouter
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void

    /// Connections at a time; more wait to be accepted. Each pull that waits has one.
    private static let maxConnections = 1_000
    /// A connection on which no request is under way, or that sends none of one, is closed after this.
    private static let idleTimeout = TimeAmount.seconds(60)

    /// - Parameters:
    ///   - port: 0 picks a free one.
    ///   - tls: nil: plain HTTP.
    ///   - services: nil: the probe and metrics alone.
    ///   - readinessLimit: how long `/readyz` waits for the store before it says that it does not answer.
    ///   - onListening: called with the port once it answers.
    package init(
        host: String, port: Int, tls: TLSConfiguration? = nil, probe: AdminProbe, metrics: PrometheusMetrics,
        services: AdminServices? = nil, readinessLimit: Duration = .seconds(2), logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.host = host
        self.port = port
        self.tls = tls
        router = AdminRouter(
            probe: ProbeRoutes(probe: probe, metrics: metrics, services: services, readinessLimit: readinessLimit),
            services: services,
            logger: logger)
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until the graceful shutdown.
    /// - Throws: `BrokerError` where it cannot listen or its certificate cannot be used.
    package func run() async throws {
        let onListening = self.onListening
        let app = Application(
            router: makeRouter(), server: try server(),
            configuration: .init(
                address: .hostname(host, port: port), serverName: "kiteq",
                availableConnectionsDelegate: MaximumAvailableConnections(Self.maxConnections)),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) },
            logger: quiet)
        do {
            try await app.run()
        } catch let error as IOError {
            throw BrokerError(
                "the administration cannot listen on \(host):\(port): \(String(cString: strerror(error.errnoCode)))")
        }
    }

    private func server() throws -> HTTPServerBuilder {
        let http = HTTPServerBuilder.http1(
            configuration: .init(
                idleTimeout: Self.idleTimeout,
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100)))
        guard let tls else { return http }
        do {
            return try .tls(http, tlsConfiguration: tls)
        } catch {
            throw BrokerError("the administration's certificate cannot be used: \(error)")
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
