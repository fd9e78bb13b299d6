import CZooKeeper
import KiteQCore
import Logging
import Synchronization

/// Where the C client's own lines go, which it would otherwise write to standard error, some of them every second
/// while no server answers, for hours. They name sockets and functions: what they mean for people the registry says.
///
/// One for the process: the callback of the C client carries no context.
enum ZooKeeperLog {
    private static let logger = Logger(label: "kiteq.zookeeper")
    private static let throttle = Mutex(LogThrottle(limit: 5, per: .seconds(60)))

    static let callback: @convention(c) (UnsafePointer<CChar>?) -> Void = { message in
        guard let message else { return }
        receive(String(cString: message))
    }

    private static func receive(_ line: String) {
        let (level, text) = parse(line)
        guard logger.logLevel <= level else { return }
        guard let suppressed = throttle.withLock({ $0.admit(now: .now) }) else { return }
        logger.log(level: level, "\(text)", metadata: suppressed > 0 ? ["suppressed": "\(suppressed)"] : nil)
    }

    /// Drops what swift-log says anyway (time, process, thread).
    static func parse(_ line: String) -> (level: Logger.Level, text: String) {
        let text = line.filter { !$0.isNewline }
        for (mark, level) in [("ZOO_ERROR@", Logger.Level.debug), ("ZOO_WARN@", .debug), ("ZOO_INFO@", .trace)] {
            if let range = text.firstRange(of: mark) { return (level, String(text[range.upperBound...])) }
        }
        return (.debug, text)
    }
}
