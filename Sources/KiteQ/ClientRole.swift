import KiteQWire

/// What a connection is for; the broker is told.
enum ClientRole: Sendable {
    /// It publishes, and nothing is to be delivered to it.
    case producer
    /// It consumes, and wants at most `window` deliveries in its hands.
    case consumer(window: Int)

    /// The most deliveries that it wants in its hands.
    var window: Int {
        switch self {
        case .producer: 0
        case .consumer(let window): window
        }
    }

    /// The first packet of a connection.
    func greeting(_ configuration: KiteQConfiguration) -> ConnMeta {
        var meta = ConnMeta(
            groupID: configuration.group, secretKey: configuration.secret,
            warmingUpSeconds: Int32(clamping: configuration.warmUpSeconds))
        switch self {
        case .producer:
            meta.capabilities = [.doesNotConsume]
        case .consumer(let window):
            meta.capabilities = [.extend]
            meta.window = UInt32(clamping: window)
        }
        return meta
    }
}
