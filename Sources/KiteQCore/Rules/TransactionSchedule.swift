/// When the producer of a half message is asked: first after some seconds, then with doubling distance, until it is given up
/// (docs/protocol.md#half-messages; the original asked at a fixed pace for ever). Times are milliseconds.
///
/// A plain record that a configuration fills in; ``problem`` says what is wrong with it. Used nevertheless, it asks soon
/// rather than never, and does not trap.
package struct TransactionSchedule: Sendable, Hashable {
    package enum Next: Sendable, Hashable {
        /// Ask now; without an answer, look again then. Never later than the message's expiry.
        case at(Timestamp)
        /// It was asked often enough, or has expired.
        case giveUp
    }

    /// From the publish to the first question, 1 ms to 7 days.
    package var firstAfter: Timestamp
    /// The longest distance of two questions, from `firstAfter` to 7 days.
    package var longest: Timestamp
    /// Questions in all, at least 1.
    package var maxChecks: Int

    /// Unless told otherwise: first after 6 s, doubling up to 5 minutes, 15 questions; 54 minutes until it is given up.
    package init(firstAfter: Timestamp = 6_000, longest: Timestamp = 300_000, maxChecks: Int = 15) {
        self.firstAfter = firstAfter
        self.longest = longest
        self.maxChecks = maxChecks
    }

    /// Why this schedule cannot be used, as a sentence; nil for a good one.
    package var problem: String? {
        let greatest = PublishRules.maxLifetime
        if !(1...greatest).contains(firstAfter) {
            return "a half message is first asked about after 1 to \(greatest) ms, not \(firstAfter)"
        }
        if !(firstAfter...greatest).contains(longest) {
            return "two questions are at most \(firstAfter) (as the first) to \(greatest) ms apart, not \(longest)"
        }
        if maxChecks < 1 { return "a half message is asked about at least once, not \(maxChecks) times" }
        return nil
    }

    /// When a half message that is published now is first asked about; not later than its expiry.
    package func firstCheck(now: Timestamp, expiresAt: Timestamp = .max) -> Timestamp {
        later(now, by: wait(doublings: 0), expiresAt)
    }

    /// What to do when a question is due.
    ///
    /// - Parameter checks: questions asked before, so 0 at the first.
    package func next(checks: Int, now: Timestamp, expiresAt: Timestamp) -> Next {
        guard checks < maxChecks, now < expiresAt else { return .giveUp }
        return .at(later(now, by: wait(doublings: max(0, checks) + 1), expiresAt))
    }

    /// No question is further away than this, milliseconds.
    package var longestDistance: Timestamp { max(wait(doublings: 0), wait(doublings: 30)) }

    private func wait(doublings: Int) -> Timestamp {
        let longest = min(max(1, longest), PublishRules.maxLifetime)
        // The longest is below 2³⁰ ms: more doublings change nothing, and would overflow.
        let doublings = min(doublings, 30)
        return firstAfter > longest >> doublings ? longest : min(longest, max(1, firstAfter) << doublings)
    }

    private func later(_ now: Timestamp, by wait: Timestamp, _ expiresAt: Timestamp) -> Timestamp {
        expiresAt - wait <= now ? expiresAt : now + wait
    }
}
