import KiteQCore
package import Logging
import NIOCore
import Synchronization

/// Connections that waited at an address and could not be accepted, since the process, or the machine, has no file descriptor left:
/// all of them counted, with a line a minute.
package final class AcceptFailures: Sendable {
    private let option: String
    private let logger: Logger
    private let throttle = Mutex(LogThrottle(limit: 1, per: .seconds(60)))
    private let counter = Counter()

    /// - Parameter option: the address's.
    package init(_ option: String, logger: Logger) {
        self.option = option
        self.logger = logger
    }

    package var count: Int { counter.count }

    func add(_ error: IOError) {
        counter.add(1)
        guard let skipped = throttle.withLock({ $0.admit(now: .now) }) else { return }
        let others = skipped > 0 ? " (\(skipped) more times since)" : ""
        logger.error(
            "a connection to \(option) cannot be accepted, and waits: \(error.reason)\(others); the process needs more file descriptors (ulimit -n, LimitNOFILE= of systemd), or the machine memory"
        )
    }
}
