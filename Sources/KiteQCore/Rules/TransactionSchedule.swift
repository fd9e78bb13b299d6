/// When the producer of a half message is asked: first after some seconds, then with growing distance, until it is given up.
/// Times are milliseconds.
package struct TransactionSchedule: Sendable, Hashable {
    package enum Next: Sendable, Hashable {
        /// Ask now; if there is no answer, again then.
        case at(Timestamp)
        /// It was asked often enough.
        case giveUp
    }

    package var firstAfter: Timestamp
    package var longest: Timestamp
    package var maxChecks: Int

    package init(firstAfter: Timestamp = 6_000, longest: Timestamp = 300_000, maxChecks: Int = 15) {
        precondition(firstAfter > 0 && longest >= firstAfter && maxChecks > 0, "a transaction schedule asks after some time, some times")
        self.firstAfter = firstAfter
        self.longest = longest
        self.maxChecks = maxChecks
    }

    package func firstCheck(now: Timestamp) -> Timestamp { now + firstAfter }

    /// After `checks` questions, at the time of the next one.
    package func next(checks: Int, now: Timestamp, expiresAt: Timestamp) -> Next {
        guard checks < maxChecks else { return .giveUp }
        let doublings = min(checks + 1, 40)
        let wait = firstAfter > longest >> doublings ? longest : min(longest, firstAfter << doublings)
        return .at(min(now + wait, max(expiresAt, now + 1)))
    }
}
