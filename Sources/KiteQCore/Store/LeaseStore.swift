/// Who works on which shard: leases, and who let theirs run out.
package protocol LeaseStore: Sendable {
    /// How long a lease lasts from its renewal on.
    var lease: Duration { get }

    /// Joins a shard that was away, as the incarnation that this broker is elsewhere; does nothing where it has joined.
    /// Returns the greatest seq that the shard has, nil where it had joined before.
    /// - Throws: `StoreError` with `fenced` where it cannot be that incarnation there: it has to begin anew.
    func joinIfMissing(shard: Int) async throws -> Int64?

    /// Renews this incarnation's lease of a shard, and reads its server's clock on the way, which it returns.
    /// - Throws: `StoreError` with `fenced` where somebody declared this incarnation dead.
    @discardableResult
    func renewLease(shard: Int) async throws -> ServerClock

    /// Looks at all leases of a shard; declares brokers dead that let theirs run out (`LeaseWatch`), after it ended their
    /// connections. Returns who they were. To be called several times in a lease.
    /// - Throws: `StoreError` with `fenced` where this incarnation is not among the living.
    func watchLeases(shard: Int) async throws -> [String]
}
