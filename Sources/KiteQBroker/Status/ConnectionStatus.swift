package import KiteQCore

/// A client that is connected.
package struct ConnectionStatus: Sendable, Hashable {
    /// Grows with each connection of this broker's life.
    package var id: UInt64
    package var group: String
    /// The client's address.
    package var peer: String
    /// Unix milliseconds: when it was let in.
    package var since: Timestamp
    /// Publishes that it sent, refused ones included.
    package var published: Int
    /// Deliveries that await its answer.
    package var inFlight: Int
    /// Whether it is not read because too many of its publishes wait for the store.
    package var isReadingPaused: Bool
    package var isEncrypted: Bool
}

/// Some of the connections, by id.
package struct ConnectionPage: Sendable, Hashable {
    package var connections: [ConnectionStatus]
    /// Behind which id the next page begins; nil at the end.
    package var next: UInt64?
}
