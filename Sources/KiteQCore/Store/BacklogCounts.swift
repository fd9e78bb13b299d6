/// Counts what groups have in the store, for their limits.
package protocol BacklogCounts: ShardedStore {
    /// How many half messages nobody has decided, by the group of the connection that published them; of more than `limit` in a shard
    /// some are not counted.
    func undecidedByGroup(shard: Int, upTo limit: Int) async throws -> [String: Int]

    /// How many undone messages a group is owed, of all brokers; counted up to `limit`.
    func waiting(for group: String, shard: Int, upTo limit: Int) async throws -> Int
}
