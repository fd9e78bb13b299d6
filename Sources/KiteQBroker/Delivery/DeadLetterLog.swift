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
            let why: String
            switch letter.reason {
            case .attemptsUsedUp: why = "after \(letter.attempts) attempts: \(letter.error ?? "no answer")"
            case .expired: why = "since its time is over"
            case .undecided: why = "undecided"
            }
            write(letter.group, why, letter.message.logMetadata)
        }
    }

    /// Of messages that expired in the store, whose content nobody here has seen.
    func write(_ letters: [ExpiredDelivery]) {
        for letter in letters {
            write(
                letter.group, "since its time was over before a client of it came",
                ["message": "\(letter.id)", "topic": "\(letter.topic)"])
        }
    }

    private func write(_ group: String, _ why: String, _ metadata: @autoclosure () -> Logger.Metadata) {
        guard let skipped = throttle.withLock({ $0.admit(now: .now) }) else { return }
        let others = skipped > 0 ? " (\(skipped) more such lines were left out)" : ""
        logger.warning(
            "a message is dead for group \(group) \(why)\(others); see `kiteq dead-letters show`, and requeue it when the cause is gone",
            metadata: metadata().with(["group": "\(group)"]))
    }
}
