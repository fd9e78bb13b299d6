/// Where one message stands for one group.
package struct GroupDelivery: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        /// Fresh: with the broker that has the message, in its memory or left until the group can take it.
        case fresh
        /// Nobody has it in memory: it waits for the group to be there, or to have room.
        case away
        /// To be tried again at this time, by whichever broker has the group.
        case retrying(dueAt: Timestamp)
        /// In a broker's memory, with a state of its own.
        case held
        case dead(DeadLetterID, reason: DeadLetterReason, diedAt: Timestamp)
    }

    package var group: String
    package var state: State
    /// The incarnation that has it; 0: none.
    package var owner: Int64
    /// The name of that broker; nil where it is not remembered.
    package var ownerName: String?
    /// Deliveries tried, as far as they were written: of a fresh message none was.
    package var attempts: Int
    package var lastError: String?

    package init(
        group: String, state: State, owner: Int64 = 0, ownerName: String? = nil, attempts: Int = 0,
        lastError: String? = nil
    ) {
        self.group = group
        self.state = state
        self.owner = owner
        self.ownerName = ownerName
        self.attempts = attempts
        self.lastError = lastError
    }
}
