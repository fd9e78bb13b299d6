/// A group that gets nothing until it is resumed, by whose will and why.
package struct GroupPause: Sendable, Hashable {
    package var group: String
    /// By the first shard's clock.
    package var pausedAt: Timestamp
    package var pausedBy: String
    /// A sentence of the person's own; may be empty.
    package var reason: String

    package init(group: String, pausedAt: Timestamp, pausedBy: String, reason: String) {
        self.group = group
        self.pausedAt = pausedAt
        self.pausedBy = pausedBy
        self.reason = reason
    }
}
