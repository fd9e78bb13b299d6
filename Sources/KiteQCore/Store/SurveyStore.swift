/// Says what other brokers have and left, and what waits; is told which groups are here.
package protocol SurveyStore: Sendable {
    /// Says which groups this broker has clients of, all of them; only what changed since is written.
    func setPresence(_ groups: Set<String>, shard: Int) async throws

    /// What the other brokers have, and what waits for this one's groups.
    ///
    /// - Parameters:
    ///   - now: by the shard's server, as all times below.
    ///   - latest: what is due later than this became so by a wrong clock, and counts as due.
    func survey(shard: Int, now: Timestamp, latest: Timestamp) async throws -> ShardSurvey

    /// Lets go of at most `limit` delivery rows that dead brokers had in memory: they are due then. Returns how many.
    func releaseDead(shard: Int, limit: Int) async throws -> Int

    /// Ends connections whose last commit was not confirmed, so that what they wrote can be seen or never will. Returns the
    /// smallest seq concerned, nil where there was none or the server cannot be asked.
    func resolveUncertain(shard: Int) async throws -> Int64?

    /// Compares some of what the store remembers of a shard with what the shard has, each time the next part of it, and writes
    /// again what was lost: a database may be put back to an earlier state under a running broker.
    /// - Parameter bindings: those in force, by which the groups of a lost route may be found.
    func checkMemory(shard: Int, bindings: @Sendable () -> [Binding]) async throws -> MemoryCheck
}
