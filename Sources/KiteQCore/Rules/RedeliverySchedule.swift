/// When a failed delivery is tried again (docs/protocol.md#redelivery): the first attempts follow at once, the later ones
/// after a wait that grows by the attempts made.
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

    /// How the next attempt follows a failed one.
    package enum Action: Sendable, Hashable {
        case immediately
        /// Milliseconds.
        case after(Timestamp)
    }

    /// What is to be done about a failed attempt.
    package enum Decision: Sendable, Hashable {
        case retryNow
        /// Never later than the message's expiry, so that a scan for what is due finds what expired too.
        case retryAt(Timestamp)
        case deadLetter(DeadLetterReason)
    }

    /// The longest wait that can be configured: a day, in milliseconds.
    package static let maximumWait: Timestamp = 24 * 3_600 * 1_000

    /// Attempts that follow one another at once.
    package let immediate: Int
    package let steps: [Step]
    /// The wait beyond the last step, milliseconds.
    package let beyond: Timestamp

    /// The protocol's: 3 at once, then 5, 10, 20, 40, 80 s below 10, 20, 30, 40, 50 attempts, and 160 s beyond.
    package init() {
        self.init(
            checkedImmediate: 3,
            steps: [
                Step(below: 10, wait: 5_000), Step(below: 20, wait: 10_000), Step(below: 30, wait: 20_000),
                Step(below: 40, wait: 40_000), Step(below: 50, wait: 80_000),
            ],
            beyond: 160_000)
    }

    /// A table from the configuration; nil where ``validated(immediate:steps:beyond:)`` throws.
    package init?(immediate: Int, steps: [Step], beyond: Timestamp) {
        guard Self.problem(immediate: immediate, steps: steps, beyond: beyond) == nil else { return nil }
        self.init(checkedImmediate: immediate, steps: steps, beyond: beyond)
    }

    /// A table from the configuration.
    ///
    /// - Parameters:
    ///   - immediate: attempts that follow at once, at least 1 (the first).
    ///   - steps: rising in `below`, each above `immediate`; a wait is 1 ms to a day.
    ///   - beyond: the wait after the last step, 1 ms to a day.
    package static func validated(
        immediate: Int, steps: [Step], beyond: Timestamp
    ) throws(InvalidRule) -> RedeliverySchedule {
        if let problem = problem(immediate: immediate, steps: steps, beyond: beyond) { throw InvalidRule(problem) }
        return RedeliverySchedule(checkedImmediate: immediate, steps: steps, beyond: beyond)
    }

    private init(checkedImmediate immediate: Int, steps: [Step], beyond: Timestamp) {
        self.immediate = immediate
        self.steps = steps
        self.beyond = beyond
    }

    private static func problem(immediate: Int, steps: [Step], beyond: Timestamp) -> String? {
        guard immediate >= 1 else {
            return "the first attempt is always made at once, so at least 1 attempt is, not \(immediate)"
        }
        var previous = immediate
        for step in steps {
            guard step.below > previous else {
                return "a redelivery step below \(step.below) attempts never applies after one below \(previous)"
            }
            previous = step.below
        }
        for wait in steps.map(\.wait) + [beyond] where !(1...maximumWait).contains(wait) {
            return "a redelivery waits 1 to \(maximumWait) ms, not \(wait)"
        }
        return nil
    }

    /// How the next attempt follows the last of so many.
    package func next(afterAttempts attempts: Int) -> Action {
        attempts < immediate ? .immediately : .after(wait(afterAttempts: attempts))
    }

    /// After so many attempts, the last of which failed. Where both the attempts and the time are used up, the attempts are
    /// the reason.
    ///
    /// - Parameters:
    ///   - attempts: how many were made for this group, the failed one included.
    ///   - expiresAt: of the message; at that very millisecond it has expired.
    package func decide(
        attempts: Int, deliverLimit: Int, expiresAt: Timestamp, now: Timestamp
    ) -> Decision {
        if attempts >= deliverLimit { return .deadLetter(.attemptsUsedUp) }
        if now >= expiresAt { return .deadLetter(.expired) }
        switch next(afterAttempts: attempts) {
        case .immediately: return .retryNow
        case .after(let wait): return .retryAt(expiresAt - now <= wait ? expiresAt : now + wait)
        }
    }

    /// No attempt is further away than this, milliseconds.
    package var longestWait: Timestamp { steps.lazy.map(\.wait).reduce(beyond, max) }

    /// Milliseconds, by the table alone: the immediate attempts are not looked at.
    package func wait(afterAttempts attempts: Int) -> Timestamp {
        steps.first { attempts < $0.below }?.wait ?? beyond
    }
}
