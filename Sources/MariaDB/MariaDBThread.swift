/// One connection as its server knows it: what to kill when it is lost.
public struct MariaDBThread: Sendable, Hashable {
    /// As `KILL` and `SHOW PROCESSLIST` have it. Another server, or the same one after a restart, gives it to others.
    public let id: UInt64
    /// Which server: `MariaDBConnection.serverIdentity`.
    public let serverIdentity: String
    /// When the connection was made. A server that has been up for less than that has forgotten it.
    public let since: ContinuousClock.Instant
    /// Whether the server calls it by the number that it was greeted with. A proxy that shares out connections of its own gives
    /// numbers of its own: to kill by such a number would hit somebody else.
    public let isProven: Bool

    public init(id: UInt64, serverIdentity: String, since: ContinuousClock.Instant, isProven: Bool = true) {
        self.id = id
        self.serverIdentity = serverIdentity
        self.since = since
        self.isProven = isProven
    }
}
