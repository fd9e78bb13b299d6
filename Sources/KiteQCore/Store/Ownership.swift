/// What a broker learns when it looks at one shard: what the others are there for, and what waits for it.
package struct ShardSurvey: Sendable, Hashable {
    /// Groups that have clients at other living brokers.
    package var elsewhere: Set<String>
    /// Groups of this broker with delivery rows whose time has come.
    package var due: Set<String>
    /// Groups of this broker with delivery rows that wait for the group, and the smallest seq of these.
    package var waiting: [String: Int64]
    /// Groups for which dead brokers left fresh messages, and the smallest seq of these.
    package var abandoned: [String: Int64]

    package init(
        elsewhere: Set<String> = [], due: Set<String> = [], waiting: [String: Int64] = [:],
        abandoned: [String: Int64] = [:]
    ) {
        self.elsewhere = elsewhere
        self.due = due
        self.waiting = waiting
        self.abandoned = abandoned
    }
}

/// A delivery row that the store has as one broker's.
package struct HeldDelivery: Sendable, Hashable {
    package var seq: Int64
    package var group: String
    package var attempts: Int

    package init(seq: Int64, group: String, attempts: Int) {
        self.seq = seq
        self.group = group
        self.attempts = attempts
    }
}
