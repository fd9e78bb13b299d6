import KiteQCore
import Logging
import Synchronization

/// Takes publishes to the store and their acks back: a lane and its writers for each shard.
///
/// A publish joins its shard's lane. A writer that is free takes all that waits, gives it seqs, and inserts it in one
/// transaction. After the commit the store acks go out, one hand-over for each connection and batch, and the messages go to
/// the dispatcher. Nothing is acknowledged that the store did not say it has.
///
/// Each publish is answered once, and within `publishWait` of its arrival, whatever the store does: what waits then is refused,
/// and of what is being stored it is said that nobody knows. A row that somebody has locked is put aside, and waits apart from
/// the others.
final class PublishPipeline: Sendable {
    private let context: PublishContext
    private let shardMap: ShardMap
    private let shards: [ShardPublishes]

    init(_ context: PublishContext, logger: Logger) {
        self.context = context
        shardMap = context.store.shardMap
        shards = (0..<shardMap.shardCount).map { ShardPublishes(shard: $0, context, logger: logger) }
    }

    var counters: PublishCounters { context.counters }

    func shard(of id: MessageID) -> Int { shardMap.shard(of: id) }

    /// Why nothing can be stored in a shard now; nil where it can, or nobody knows.
    func whyAway(_ shard: Int) -> String? { context.leases.whyAway(shard) }

    /// All seqs from now on are above this one: a shard was joined that has it.
    func raiseSeqs(above floor: Int64) { context.raiseSeqs(above: floor) }

    /// Takes publishes of one connection, as one read brought them. Those that find their shard's lane full are refused, and
    /// those whose shard is known to be away.
    func submit(_ publishes: [PendingPublish]) {
        var byShard = [[PendingPublish]](repeating: [], count: shards.count)
        for publish in publishes { byShard[shardMap.shard(of: publish.message.id)].append(publish) }
        for (shard, items) in byShard.enumerated() where !items.isEmpty { shards[shard].submit(items) }
    }

    /// Writers of one shard, until `close()` and all that waits is written.
    func run(shard: Int) async { await shards[shard].run() }

    /// To be called again and again: answers those whose time is up, the writers being at a store that does not answer.
    func tick() {
        for shard in shards { shard.tick() }
    }

    /// Takes nothing more; `run` returns once all that waits is written.
    func close() {
        for shard in shards { shard.close() }
    }

    /// Publishes that wait for the writers of one shard.
    func waiting(shard: Int) -> (items: Int, bytes: Int) { shards[shard].waiting }

    /// Publishes that were taken and are not done with the store.
    var depth: (items: Int, bytes: Int) {
        shards.reduce(into: context.writing.withLock { $0 }) { sum, shard in
            let depth = shard.waiting
            sum.items += depth.items
            sum.bytes += depth.bytes
        }
    }

    /// From a publish's arrival to its store ack.
    var times: LatencyHistogram {
        shards.reduce(into: LatencyHistogram()) { sum, shard in sum.add(shard.times) }
    }
}
