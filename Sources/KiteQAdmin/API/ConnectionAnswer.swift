import KiteQBroker

/// A client of this broker.
struct ConnectionAnswer: Encodable, Sendable {
    enum Transport: String, Encodable, Sendable { case tcp, tls, http }

    var id: String
    var group: String
    var peer: String
    var since: Time
    var inFlight: Int
    var published: Int
    var `protocol`: Transport
}
