import KiteQCore
import Logging
import Synchronization

/// Takes publishes to the store and their acks back: a lane and its writers for each shard.
///
/// A publish joins its shard's lane. A writer that is free takes all that waits, gives it seqs, and inserts it in one
/// transaction. After the commit the store acks go out, one hand-over for each connection and batch, and the messages go to
/// the dispatcher. Nothing is acknowledged that the store did not say it has.
final class PublishPipeline: Sendable {
    private let store: any MessageStore
    private let shardMap: ShardMap
    private let dispatcher: Dispatcher
    private let halfMessages: HalfMessageCache
    private let configuration: BrokerConfiguration
    private let lanes: [BatchLane<PendingPublish>]
    private let sequence: Mutex<SequenceGenerator>
    private let logger: Logger
    let counters = PublishCounters()

    init(
        store: any MessageStore, incarnation: Int64, dispatcher: Dispatcher, halfMessages: HalfMessageCache,
        configuration: BrokerConfiguration, logger: Logger
    ) {
        self.store = store
        shardMap = store.shardMap
        self.dispatcher = dispatcher
        self.halfMessages = halfMessages
        self.configuration = configuration
        self.logger = logger
        lanes = (0..<store.shardMap.shardCount).map { _ in
            BatchLane(
                maxItems: configuration.shardQueueLength, maxBytes: configuration.shardQueueBytes, size: { $0.bytes })
        }
        sequence = Mutex(SequenceGenerator(incarnation: incarnation))
    }

    /// Takes publishes of one connection, as one read brought them. Those that find their shard's lane full are refused.
    func submit(_ publishes: [PendingPublish]) {
        var byShard: [Int: [PendingPublish]] = [:]
        for publish in publishes { byShard[shardMap.shard(of: publish.message.id), default: []].append(publish) }
        for (shard, items) in byShard {
            let accepted = lanes[shard].submit(items)
            guard accepted < items.count else { continue }
            let refused = items[accepted...].map {
                PublishResult(reply: $0.reply, status: false, feedback: "the broker is overloaded, try again later")
            }
            counters.overloaded.add(refused.count)
            answer(refused)
        }
    }

    /// Writers of one shard: as many as its transactions at a time.
    func run(shard: Int) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<configuration.writersPerShard {
                group.addTask { await self.write(shard: shard) }
            }
        }
    }

    /// Takes nothing more; `run` returns once all that waits is written.
    func close() {
        for lane in lanes { lane.close() }
    }

    var depth: (items: Int, bytes: Int) {
        lanes.reduce(into: (items: 0, bytes: 0)) { sum, lane in
            let depth = lane.depth
            sum.items += depth.items
            sum.bytes += depth.bytes
        }
    }

    private func write(shard: Int) async {
        while let batch = await nextBatch(shard: shard) {
            let now = SystemTime.wall()
            let insertions = batch.map { publish in
                Insertion(
                    seq: publish.seq, message: publish.message, route: publish.route,
                    connectionGroup: publish.reply.connection.group,
                    firstCheckAt: configuration.transactions.firstCheck(
                        now: now, expiresAt: publish.message.expiresAt))
            }
            do {
                complete(batch, try await store.insert(insertions, shard: shard), shard: shard)
            } catch {
                fail(batch, error, shard: shard)
            }
        }
    }

    /// Seqs are given while the lane is locked, so that they rise in the order of arrival.
    private func nextBatch(shard: Int) async -> [PendingPublish]? {
        await lanes[shard].take(maxItems: configuration.batchRows, maxBytes: configuration.batchBytes) { batch in
            let now = SystemTime.wall()
            sequence.withLock { sequence in
                for index in batch.indices { batch[index].seq = sequence.next(now: now) }
            }
        }
    }

    private func complete(_ batch: [PendingPublish], _ outcomes: [Insertion.Outcome], shard: Int) {
        precondition(outcomes.count == batch.count, "a store answers for each row of a batch")
        var results: [PublishResult] = []
        results.reserveCapacity(batch.count)
        var stored: [(seq: Int64, message: Message, route: Route)] = []
        stored.reserveCapacity(batch.count)
        for (publish, outcome) in zip(batch, outcomes) {
            switch outcome {
            case .stored:
                counters.stored.add(1)
                results.append(PublishResult(reply: publish.reply, status: true, feedback: "stored"))
                if let route = publish.route {
                    stored.append((publish.seq, publish.message, route))
                } else {
                    halfMessages.insert(publish.message, publishedBy: publish.reply.connection)
                }
            case .duplicate:
                counters.duplicates.add(1)
                results.append(PublishResult(reply: publish.reply, status: true, feedback: "stored before"))
            case .decided(let outcome):
                counters.duplicates.add(1)
                results.append(
                    PublishResult(reply: publish.reply, status: true, feedback: "stored before and \(outcome)"))
            case .refused(let reason):
                counters.refused.add(1)
                results.append(PublishResult(reply: publish.reply, status: false, feedback: reason))
            }
        }
        answer(results)
        dispatcher.accept(stored, shard: shard)
    }

    private func fail(_ batch: [PendingPublish], _ error: any Error, shard: Int) {
        counters.failed.add(batch.count)
        logger.error("cannot store \(batch.count) messages: \(error)", metadata: ["shard": "\(shard)"])
        answer(
            batch.map {
                PublishResult(reply: $0.reply, status: false, feedback: "the message could not be stored: \(error)")
            })
        if let error = error as? StoreError, error.isOutcomeUnknown, let first = batch.map(\.seq).min() {
            dispatcher.uncertain(shard: shard, from: first)
        }
    }

    private func answer(_ results: [PublishResult]) {
        if results.count == 1 {
            results[0].reply.connection.answer(results)
            return
        }
        var byConnection: [ObjectIdentifier: [PublishResult]] = [:]
        for result in results { byConnection[ObjectIdentifier(result.reply.connection), default: []].append(result) }
        for results in byConnection.values { results[0].reply.connection.answer(results) }
    }
}
