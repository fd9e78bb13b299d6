/// What one group may have and do at a broker; 0: no limit.
package struct GroupLimits: Sendable, Hashable {
    /// Connections of it that are let in.
    package var connections = 0
    /// Publishes a second.
    package var rate = 0
    /// Bytes a second of what it publishes.
    package var bytes = 0
    /// Half messages that it published, of all brokers, and that nobody has decided.
    package var halfMessages = 0
    /// Messages that wait for it, of all brokers.
    package var backlog = 0

    package init(connections: Int = 0, rate: Int = 0, bytes: Int = 0, halfMessages: Int = 0, backlog: Int = 0) {
        self.connections = connections
        self.rate = rate
        self.bytes = bytes
        self.halfMessages = halfMessages
        self.backlog = backlog
    }

    /// Whether there is any that a publish of the group is held against.
    package var concernPublishes: Bool { rate > 0 || bytes > 0 || halfMessages > 0 }
}
