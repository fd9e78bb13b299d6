/// What a client says of itself in CONN_META, beyond the protocol of the other clients (docs/protocol-extensions.md).
package struct ClientCapabilities: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// It may send DELIVER_EXTEND, once the broker says that it takes it.
    package static let extend = ClientCapabilities(rawValue: 1)
    /// It only publishes: nothing is to be delivered to it.
    package static let doesNotConsume = ClientCapabilities(rawValue: 2)
}

/// What a broker says of itself in CONN_AUTH, to a client that said something of itself.
package struct BrokerCapabilities: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// It takes DELIVER_EXTEND.
    package static let extend = BrokerCapabilities(rawValue: 1)
    /// A client that does not consume is given no deliveries.
    package static let respectsDoesNotConsume = BrokerCapabilities(rawValue: 2)
    /// It keeps no more in flight than a client's window.
    package static let respectsWindow = BrokerCapabilities(rawValue: 4)
}
