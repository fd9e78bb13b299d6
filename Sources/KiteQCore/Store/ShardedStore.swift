/// Its shards.
package protocol ShardedStore: Sendable {
    /// How ids map to shards; shards are numbered from 0.
    var shardMap: ShardMap { get }
}
