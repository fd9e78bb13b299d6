import CoreMetrics
import KiteQAdmin
import Logging

/// What a process has once: its metrics and its log.
enum ProcessWide {
    static let metrics = PrometheusMetrics()

    /// Sets up the log and the metrics; called once, before anything logs.
    static func bootstrap(_ log: LogConfiguration) -> Logger {
        LoggingSystem.bootstrap { _ in StandardErrorLogHandler(log) }
        MetricsSystem.bootstrap(metrics)
        return Logger(label: "kiteq")
    }
}
