import KiteQCore
import Logging
import Synchronization

/// Says which messages died for which group, a few a minute: a backlog that expires is no reason to fill a disk.
final class DeadLetterLog: Sendable {
    /// Ten lines a minute.
    private let throttle = Mutex(LogThrottle(limit: 10, per: .seconds(60)))
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func write(_ letters: [DeliveryActions.Burial]) {
        for letter in letters {
            guard let skipped = throttle.withLock({ $0.admit(now: .now) }) else { continue }
            let others = skipped > 0 ? " (\(skipped) more such lines were left out)" : ""
            let why: String
            switch letter.reason {
            case .attemptsUsedUp: why = "after \(letter.attempts) attempts: \(letter.error ?? "no answer")"
            case .expired: why = "since its time is over"
            case .undecided: why = "undecided"
            }
            logger.warning(
                "a message is dead for group \(letter.group) \(why)\(others); see `kiteq dead-letters show`, and requeue it when the cause is gone",
                metadata: letter.message.logMetadata.with(["group": "\(letter.group)"]))
        }
    }
}
