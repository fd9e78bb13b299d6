/// What is said of one group's limits; nil: what holds for all groups.
package struct OwnGroupLimits: Sendable, Hashable {
    package var connections: Int?
    package var rate: Int?
    package var bytes: Int?
    package var halfMessages: Int?
    package var backlog: Int?

    package init(
        connections: Int? = nil, rate: Int? = nil, bytes: Int? = nil, halfMessages: Int? = nil, backlog: Int? = nil
    ) {
        self.connections = connections
        self.rate = rate
        self.bytes = bytes
        self.halfMessages = halfMessages
        self.backlog = backlog
    }

    package func or(_ all: GroupLimits) -> GroupLimits {
        GroupLimits(
            connections: connections ?? all.connections, rate: rate ?? all.rate, bytes: bytes ?? all.bytes,
            halfMessages: halfMessages ?? all.halfMessages, backlog: backlog ?? all.backlog)
    }
}
