import KiteQCore

/// The limits of one group that are in force at a broker, by the names they are set by; 0: none.
struct GroupLimitsAnswer: Encodable, Sendable {
    var maxConnections: Int
    var maxRate: Int
    var maxBytes: Int
    var maxHalfMessages: Int
    var maxBacklog: Int

    init(_ limits: GroupLimits) {
        maxConnections = limits.connections
        maxRate = limits.rate
        maxBytes = limits.bytes
        maxHalfMessages = limits.halfMessages
        maxBacklog = limits.backlog
    }
}
