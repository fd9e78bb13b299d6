/// When a failed delivery is tried again (protocol.md, Redelivery): the first attempts follow at once, the later ones after a
/// wait that grows by the attempts made.
package struct RedeliverySchedule: Sendable, Hashable {
    package struct Step: Sendable, Hashable {
        /// This wait holds while fewer attempts than this were made.
        package var below: Int
        /// Milliseconds.
        package var wait: Timestamp

        package init(below: Int, wait: Timestamp) {
            self.below = below
            self.wait = wait
        }
    }

    package enum Decision: Sendable, Hashable {
        case retryNow
        case retryAt(Timestamp)
        case deadLetter(DeadLetterReason)
    }

    /// Attempts that follow one another at once.
    package let immediate: Int
    package let steps: [Step]
    /// The wait beyond the last step, milliseconds.
    package let beyond: Timestamp

    /// The protocol's: 3 at once, then 5, 10, 20, 40, 80 s up to 10, 20, 30, 40, 50 attempts, and 160 s beyond.
    package init() {
        immediate = 3
        steps = [
            Step(below: 10, wait: 5_000), Step(below: 20, wait: 10_000), Step(below: 30, wait: 20_000),
            Step(below: 40, wait: 40_000), Step(below: 50, wait: 80_000),
        ]
        beyond = 160_000
    }

    /// Nil unless the steps rise and no wait is negative.
    package init?(immediate: Int, steps: [Step], beyond: Timestamp) {
        guard immediate >= 1, beyond >= 0, steps.allSatisfy({ $0.wait >= 0 }),
            zip(steps, steps.dropFirst()).allSatisfy({ $0.below < $1.below })
        else { return nil }
        self.immediate = immediate
        self.steps = steps
        self.beyond = beyond
    }

    /// After so many attempts, the last of which failed.
    package func decide(
        attempts: Int, deliverLimit: Int, expiresAt: Timestamp, now: Timestamp
    ) -> Decision {
        if attempts >= deliverLimit { return .deadLetter(.attemptsUsedUp) }
        if now >= expiresAt { return .deadLetter(.expired) }
        if attempts < immediate { return .retryNow }
        return .retryAt(now + wait(afterAttempts: attempts))
    }

    /// Milliseconds.
    package func wait(afterAttempts attempts: Int) -> Timestamp {
        steps.first { attempts < $0.below }?.wait ?? beyond
    }
}
