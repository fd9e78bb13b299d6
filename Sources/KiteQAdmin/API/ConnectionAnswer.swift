import KiteQBroker
import KiteQCore

/// A client of this broker.
struct ConnectionAnswer: Encodable, Sendable {
    enum Transport: String, Encodable, Sendable { case tcp, tls }

    var id: String
    var group: String
    var peer: String
    var since: Time
    var inFlight: Int
    var published: Int
    /// It is not read for now: too many of its publishes wait for the store.
    var isHeldBack: Bool
    var `protocol`: Transport

    init(_ connection: ConnectionStatus) {
        // A number of 64 bits, which JavaScript would round.
        id = "\(connection.id)"
        group = connection.group
        peer = connection.peer
        since = connection.since.time
        inFlight = connection.inFlight
        published = connection.published
        isHeldBack = connection.isReadingPaused
        self.protocol = connection.isEncrypted ? .tls : .tcp
    }
}
