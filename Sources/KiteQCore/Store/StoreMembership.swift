/// To be one of the brokers that share a store.
package protocol StoreMembership: Sendable {
    /// Keeps connections until the task is cancelled, then leaves: the incarnation is marked as gone.
    func run() async throws

    /// Joins as a new incarnation in every shard that can be reached, and declares earlier lives of the same broker dead: what
    /// they left is found by the scans below. May be called again after the incarnation was found dead (`StoreError` with
    /// `fenced`).
    ///
    /// An earlier life that may still be at work is waited for: until the server has none of its connections any more, or its
    /// lease is seen to run out.
    /// - Parameter takingOver: does not wait, and ends whoever has the name.
    /// - Throws: `StoreError`: with `nameTaken` where a broker of that name works; with another code where no shard could be
    ///   joined, or one of them is not what this broker was configured for.
    func join(as broker: BrokerIdentity, takingOver: Bool) async throws -> StoreEntry
}

/// Who this broker is, to the store.
package struct BrokerIdentity: Sendable, Hashable {
    /// Stays the same over restarts: earlier incarnations of the same name are its own earlier lives.
    package var name: String
    /// Where clients reach it, `host:port`.
    package var address: String

    package init(name: String, address: String) {
        self.name = name
        self.address = address
    }
}
