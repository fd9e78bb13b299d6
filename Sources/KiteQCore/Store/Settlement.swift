/// What is to be written of one message's deliveries: the only way a stored message changes or ends.
///
/// After it is applied, the message is owed to the groups in `pending` and, if it was tracked before, to those other
/// groups that have a row and are named nowhere in it. A message owed to nobody is deleted. `dead` groups get their row
/// in the dead letters in the same SQL transaction.
///
/// It holds only where this broker owns what it is about: the message while it is fresh, the rows of the groups that it names
/// once it is tracked.
package struct Settlement: Sendable {
    package struct Pending: Sendable, Hashable {
        package var group: String
        package var attempts: Int
        /// Unix milliseconds; 0: when the group can take it. Never later than the message's expiry; `heldDueAt` while held.
        package var dueAt: Timestamp
        /// The delivery stays in this broker's memory: nobody else takes it while this broker lives.
        package var isHeld: Bool
        package var lastError: String?

        /// Anybody's who has the group, from `dueAt` on.
        package init(group: String, attempts: Int, dueAt: Timestamp, lastError: String? = nil) {
            self.group = group
            self.attempts = attempts
            self.dueAt = dueAt
            isHeld = false
            self.lastError = lastError
        }

        /// This broker's.
        package init(held group: String, attempts: Int) {
            self.group = group
            self.attempts = attempts
            dueAt = Self.heldDueAt
            isHeld = true
        }

        /// Never due: what a broker holds becomes due when that broker is found dead.
        package static let heldDueAt = Timestamp.max
    }

    package struct Dead: Sendable, Hashable {
        package var group: String
        package var attempts: Int
        package var reason: DeadLetterReason
        package var lastError: String?

        package init(group: String, attempts: Int, reason: DeadLetterReason, lastError: String? = nil) {
            self.group = group
            self.attempts = attempts
            self.reason = reason
            self.lastError = lastError
        }
    }

    package var seq: Int64
    /// What the message takes in memory, which is a little more than in the store; nil where it was not in memory. Each dead
    /// letter is a copy of it, and what changes or deletes its row is written to the server's logs with all of it.
    package var bytes: Int?
    /// Whether the row was tracked already before this settlement.
    package var wasTracked: Bool
    /// Groups that are done, named only where `wasTracked`.
    package var done: [String]
    package var dead: [Dead]
    package var pending: [Pending]
    /// Groups that handled the message after their attempt had been given up: named alone, with nothing else. Whoever has their row
    /// now, it ends, and so does their dead letter, but for one that a person is to decide about.
    package let late: [String]

    /// ``late`` and nothing else.
    package init(seq: Int64, late groups: [String]) {
        self.seq = seq
        wasTracked = true
        (done, dead, pending) = ([], [], [])
        late = groups
    }

    package init(
        seq: Int64, bytes: Int? = nil, wasTracked: Bool = false, done: [String] = [], dead: [Dead] = [],
        pending: [Pending] = []
    ) {
        late = []
        self.seq = seq
        self.bytes = bytes
        self.wasTracked = wasTracked
        self.done = done
        self.dead = dead
        self.pending = pending
    }

    /// The groups that it names.
    package var groups: [String] { done + dead.map(\.group) + pending.map(\.group) }

    /// Whether it only deletes a fresh message: the path of every message that all its groups took at once.
    package var isRemoval: Bool { !wasTracked && dead.isEmpty && pending.isEmpty }

    /// Whether it is of groups that answered late, and of nothing else.
    package var isLate: Bool { !late.isEmpty }
}

/// Why a message lies among the dead letters. The raw values are stored.
package enum DeadLetterReason: UInt8, Sendable, Hashable, CaseIterable {
    /// The group used up its attempts.
    case attemptsUsedUp = 1
    case expired = 2
    /// A half message whose publisher never said commit or roll back.
    case undecided = 3
}
