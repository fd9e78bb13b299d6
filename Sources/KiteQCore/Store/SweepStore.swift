/// Ends what nobody comes for.
package protocol SweepStore: Sendable {
    /// This incarnation's fresh messages whose time is over, of groups that may be away; looks at `limit` messages from a
    /// place on, and says where to go on (nil at the end). Those of dead brokers become this one's.
    func expiredFresh(
        shard: Int, after cursor: SweepCursor?, now: Timestamp, limit: Int
    ) async throws -> (expired: [ExpiredMessage], next: SweepCursor?)

    /// Moves delivery rows that are nobody's to the dead letters where their message's time is over; looks at `limit` rows
    /// above a seq, and says where to go on (nil at the end).
    func buryExpiredDeliveries(
        shard: Int, after seq: Int64, now: Timestamp, limit: Int
    ) async throws -> (buried: [ExpiredDelivery], next: Int64?)

    /// Removes tracked messages that nobody is owed any more; looks at `limit` of them above a seq, and says where to go on (nil at the
    /// end). There are none where one server is written to: who ends a message's last delivery removes it. On two nodes of a
    /// cluster at once each takes the other's for the last.
    func removeUnowed(shard: Int, after seq: Int64, limit: Int) async throws -> (removed: Int, next: Int64?)

    /// Deletes at most `limit` of each of transactions decided before a time, dead letters whose retention ended, and what the
    /// first shard has of old samples and audit entries; returns how many went. A parked transaction stays as long as its
    /// dead letter: a late answer decides it.
    func purge(shard: Int, decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int) async throws -> Int
}

/// Where a sweep over fresh messages stands.
package struct SweepCursor: Sendable, Hashable {
    package var owner: Int64
    package var route: RouteID
    package var seq: Int64

    package init(owner: Int64, route: RouteID, seq: Int64) {
        self.owner = owner
        self.route = route
        self.seq = seq
    }
}
