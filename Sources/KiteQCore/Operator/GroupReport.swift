/// What the store has for one consumer group, of all shards that answered.
package struct GroupReport: Sendable, Hashable {
    package var name: String
    /// Incarnations of living brokers that have clients of it, sorted.
    package var connectedTo: [Int64]
    /// Messages owed to it and to the rest of their route: in a broker's memory, or left until the group can take them.
    package var fresh: BoundedCount
    /// Deliveries that wait for the group to be there, or to have room.
    package var away: BoundedCount
    /// Deliveries that failed or were not answered, and are tried again at a time.
    package var retrying: BoundedCount
    /// Deliveries of tracked messages in a broker's memory.
    package var held: BoundedCount
    package var deadLetters: BoundedCount
    /// When the next retry is due; in the past while nobody has taken it.
    package var nextDueAt: Timestamp?
    /// When the oldest message that the group still waits for was accepted. Beyond the bound of `retrying` it may be older.
    package var oldestAcceptedAt: Timestamp?
    package var pause: GroupPause?

    package init(
        name: String, connectedTo: [Int64] = [], fresh: BoundedCount = .zero, away: BoundedCount = .zero,
        retrying: BoundedCount = .zero, held: BoundedCount = .zero, deadLetters: BoundedCount = .zero,
        nextDueAt: Timestamp? = nil, oldestAcceptedAt: Timestamp? = nil, pause: GroupPause? = nil
    ) {
        self.name = name
        self.connectedTo = connectedTo
        self.fresh = fresh
        self.away = away
        self.retrying = retrying
        self.held = held
        self.deadLetters = deadLetters
        self.nextDueAt = nextDueAt
        self.oldestAcceptedAt = oldestAcceptedAt
        self.pause = pause
    }

    /// All that it is owed.
    package var waiting: BoundedCount { fresh + away + retrying + held }

    /// What two shards have for the same group.
    package func merged(with other: GroupReport) -> GroupReport {
        func least(_ a: Timestamp?, _ b: Timestamp?) -> Timestamp? { [a, b].compactMap { $0 }.min() }
        return GroupReport(
            name: name, connectedTo: Set(connectedTo + other.connectedTo).sorted(), fresh: fresh + other.fresh,
            away: away + other.away, retrying: retrying + other.retrying, held: held + other.held,
            deadLetters: deadLetters + other.deadLetters, nextDueAt: least(nextDueAt, other.nextDueAt),
            oldestAcceptedAt: least(oldestAcceptedAt, other.oldestAcceptedAt), pause: pause ?? other.pause)
    }
}
