import CoreMetrics
import KiteQAdmin
import Logging

/// What a process has once: its metrics and its log.
enum ProcessWide {
    static let logLevel = SharedLogLevel()
    static let metrics = PrometheusMetrics()

    /// Sets up the log and the metrics; called once, before anything logs.
    static func bootstrap(_ log: LogConfiguration) -> Logger {
        logLevel.set(log.level)
        LoggingSystem.bootstrap { _ in StandardErrorLogHandler(log, level: logLevel) }
        MetricsSystem.bootstrap(metrics)
        return Logger(label: "kiteq")
    }

    /// What a process that many connect to wants of the system.
    static func prepareToServe() {
        DescriptorLimit.raise()
    }
}
