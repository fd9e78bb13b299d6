import Glibc
import Hummingbird
import KiteQBroker
package import Logging
import NIOCore
import ServiceLifecycle

/// The broker's HTTP server for operators: `/healthz`, `/readyz` and `/metrics`.
///
/// It answers while the broker starts and stops, so that `/readyz` can say so. It checks nobody's identity: what it
/// shows is for those who reach its address, which is loopback unless configured.
package struct AdminServer: Service {
    private let host: String
    private let port: Int
    private let probe: AdminProbe
    private let metrics: PrometheusMetrics
    private let readinessLimit: Duration
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void

    /// - Parameters:
    ///   - port: 0 picks a free one.
    ///   - readinessLimit: how long `/readyz` waits for the store before it says that it does not answer.
    ///   - onListening: called with the port once it answers.
    package init(
        host: String, port: Int, probe: AdminProbe, metrics: PrometheusMetrics, readinessLimit: Duration = .seconds(2),
        logger: Logger, onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.host = host
        self.port = port
        self.probe = probe
        self.metrics = metrics
        self.readinessLimit = readinessLimit
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until the graceful shutdown.
    /// - Throws: `BrokerError` where it cannot listen.
    package func run() async throws {
        let onListening = self.onListening
        let app = Application(
            router: router(),
            configuration: .init(address: .hostname(host, port: port), serverName: "kiteq"),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) },
            logger: quiet)
        do {
            try await app.run()
        } catch let error as IOError {
            throw BrokerError(
                "the administration cannot listen on \(host):\(port): \(String(cString: strerror(error.errnoCode)))")
        }
    }

    /// Hummingbird says at `info` what we say in one line of our own.
    private var quiet: Logger {
        var logger = self.logger
        if logger.logLevel < .warning, logger.logLevel > .debug { logger.logLevel = .warning }
        return logger
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router()
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
        return router
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
