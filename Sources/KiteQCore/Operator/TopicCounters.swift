/// Messages and deliveries counted over some time.
package struct TopicCounters: Sendable, Hashable {
    /// Messages accepted, half ones included.
    package var published = 0
    /// Half messages committed.
    package var committed = 0
    /// Deliveries sent, repeated ones included.
    package var delivered = 0
    /// Deliveries that a group acknowledged.
    package var acknowledged = 0
    package var deadLettered = 0

    package init(
        published: Int = 0, committed: Int = 0, delivered: Int = 0, acknowledged: Int = 0, deadLettered: Int = 0
    ) {
        self.published = published
        self.committed = committed
        self.delivered = delivered
        self.acknowledged = acknowledged
        self.deadLettered = deadLettered
    }

    package static func += (a: inout Self, b: Self) {
        a.published += b.published
        a.committed += b.committed
        a.delivered += b.delivered
        a.acknowledged += b.acknowledged
        a.deadLettered += b.deadLettered
    }
}
