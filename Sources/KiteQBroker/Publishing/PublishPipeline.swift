import KiteQCore
import KiteQWire
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
    private let topics: TopicPublishes
    private let lanes: [BatchLane<PendingPublish>]
    private let sequence: Mutex<SequenceGenerator>
    private let leases: Leases
    private let fence: Fence
    private let health: WriteHealth
    private let met: [Met]
    /// Publishes in the hands of writers, and their bytes.
    private let writing = Mutex((items: 0, bytes: 0))
    let counters = PublishCounters()

    private static let retryPause: Duration = .milliseconds(50)

    /// What its writers have met in one shard.
    private final class Met: Sendable {
        struct State {
            var failures: FailureStreak
            /// From arrival to store ack.
            var times = LatencyHistogram()
        }

        private let state: Mutex<State>

        init(shard: Int, _ logger: Logger) {
            state = Mutex(State(failures: FailureStreak("store messages in shard \(shard)", logger)))
        }

        func withLock<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
            state.withLock { state in body(&state) }
        }
    }

    init(
        store: any MessageStore, entry: StoreEntry, dispatcher: Dispatcher, halfMessages: HalfMessageCache,
        leases: Leases, fence: Fence, health: WriteHealth, topics: TopicPublishes, configuration: BrokerConfiguration,
        logger: Logger
    ) {
        self.store = store
        shardMap = store.shardMap
        self.dispatcher = dispatcher
        self.halfMessages = halfMessages
        self.configuration = configuration
        self.leases = leases
        self.topics = topics
        self.fence = fence
        self.health = health
        met = (0..<store.shardMap.shardCount).map { Met(shard: $0, logger) }
        lanes = (0..<store.shardMap.shardCount).map { _ in
            BatchLane(
                capacity: .init(items: configuration.shardQueueLength, bytes: configuration.shardQueueBytes),
                batch: .init(items: configuration.batchRows, bytes: configuration.batchBytes), size: \.bytes)
        }
        sequence = Mutex(SequenceGenerator(incarnation: entry.incarnation, above: entry.floor))
    }

    /// All seqs from now on are above this one: a shard was joined that has it.
    func raiseSeqs(above floor: Int64) { sequence.withLock { $0.raise(above: floor) } }

    /// Takes publishes of one connection, as one read brought them. Those that find their shard's lane full are refused, and
    /// those whose shard is known to be away.
    func submit(_ publishes: [PendingPublish]) {
        var byShard = [[PendingPublish]](repeating: [], count: lanes.count)
        for publish in publishes { byShard[shardMap.shard(of: publish.message.id)].append(publish) }
        for (shard, items) in byShard.enumerated() where !items.isEmpty {
            if let why = leases.whyAway(shard) {
                counters.failed.add(items.count)
                answer(
                    items.map {
                        PublishResult(
                            publish: $0.accepted, verdict: .tryAgain,
                            feedback: "not stored, for its shard is away: \(why)")
                    })
                continue
            }
            let accepted = lanes[shard].submit(items)
            guard accepted < items.count else { continue }
            let refused = items[accepted...].map {
                PublishResult(
                    publish: $0.accepted, verdict: .tryAgain, feedback: "the broker is overloaded, try again later")
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

    /// Publishes that wait for the writers of one shard.
    func waiting(shard: Int) -> (items: Int, bytes: Int) { lanes[shard].depth }

    /// Publishes that were taken and have no store ack yet.
    var depth: (items: Int, bytes: Int) {
        lanes.reduce(into: writing.withLock { $0 }) { sum, lane in
            let depth = lane.depth
            sum.items += depth.items
            sum.bytes += depth.bytes
        }
    }

    /// From a publish's arrival to its store ack.
    var times: LatencyHistogram {
        met.reduce(into: LatencyHistogram()) { sum, met in sum.add(met.withLock { $0.times }) }
    }

    private func write(shard: Int) async {
        await lanes[shard].work(prepare: begin) { batch in
            await store(batch, shard: shard)
            writing.withLock { writing in
                writing.items -= batch.count
                writing.bytes -= batch.reduce(0) { $0 + $1.bytes }
            }
        }
    }

    /// Gives seqs while the lane is locked, so that they rise in the order of arrival.
    private func begin(_ batch: inout [PendingPublish]) {
        let now = SystemTime.wall()
        sequence.withLock { sequence in
            for index in batch.indices { batch[index].seq = sequence.next(now: now) }
        }
        writing.withLock { writing in
            writing.items += batch.count
            writing.bytes += batch.reduce(0) { $0 + $1.bytes }
        }
    }

    /// Tries until the store has the batch, or the time of all in it is up. A try whose outcome is not known is repeated like
    /// any other: the store finds what it has already.
    private func store(_ batch: [PendingPublish], shard: Int) async {
        var batch = batch
        while !batch.isEmpty {
            do {
                guard leases.isHeld(shard) else {
                    throw StoreError(.unavailable, "this broker's lease of shard \(shard) is not renewed")
                }
                CrashPoint.reached(.inserting)
                let outcomes = try await store.insert(insertions(batch), shard: shard)
                CrashPoint.reached(.inserted)
                batch = complete(batch, outcomes, shard: shard)
                if !batch.isEmpty { await pause(Self.retryPause) }
            } catch {
                met[shard].withLock { $0.failures.add(error) }
                if leases.isHeld(shard) { health.failed(shard, error) }
                let isUnknown = (error as? StoreError)?.isOutcomeUnknown ?? false
                let isTemporary = (error as? StoreError)?.isTemporary ?? false || isUnknown
                if isUnknown { for index in batch.indices { batch[index].mayBeStored = true } }
                let isFenced = fence.isRaised || (error as? StoreError)?.code == .fenced
                let late = isTemporary && !isFenced ? partitionLate(&batch) : batch
                if !isTemporary || isFenced { batch = [] }
                fail(late, error, shard: shard)
                if !batch.isEmpty { await pause(Self.retryPause) }
            }
        }
    }

    private func insertions(_ batch: [PendingPublish]) -> [Insertion] {
        let now = SystemTime.wall()
        return batch.map { publish in
            Insertion(
                seq: publish.seq, message: publish.message, route: publish.route,
                connectionGroup: publish.accepted.origin.group,
                firstCheckAt: publish.route != nil
                    ? 0 : configuration.transactions.firstCheck(now: now, expiresAt: publish.message.expiresAt))
        }
    }

    /// Takes out of a batch those that have waited for as long as they may.
    private func partitionLate(_ batch: inout [PendingPublish]) -> [PendingPublish] {
        let now = SystemTime.monotonic()
        let late = batch.filter { isLate($0, now: now) }
        if !late.isEmpty { batch.removeAll { isLate($0, now: now) } }
        return late
    }

    private func isLate(_ publish: PendingPublish, now: MonotonicTime) -> Bool {
        now - publish.accepted.arrivedAt >= configuration.publishWait.nanoseconds
    }

    /// To be called again and again: refuses those that have waited in a lane for as long as they may, its writers being at a
    /// store that does not answer.
    func tick() {
        let now = SystemTime.monotonic()
        for (shard, lane) in lanes.enumerated() {
            lane.tick()
            let late = lane.removeFirst { isLate($0, now: now) }
            guard !late.isEmpty else { continue }
            counters.failed.add(late.count)
            let reason = met[shard].withLock { $0.failures.current } ?? "the store does not keep up"
            answer(
                late.map {
                    PublishResult(
                        publish: $0.accepted, verdict: .tryAgain, feedback: "not stored in time: \(reason)")
                })
        }
    }

    /// Answers what is decided; returns what is to be tried again.
    private func complete(
        _ batch: [PendingPublish], _ outcomes: [Insertion.Outcome], shard: Int
    ) -> [PendingPublish] {
        precondition(outcomes.count == batch.count, "a store answers for each row of a batch")
        var results: [PublishResult] = []
        results.reserveCapacity(batch.count)
        var stored: [(seq: Int64, message: Message, route: Route)] = []
        stored.reserveCapacity(batch.count)
        var waiting: [PendingPublish] = []
        let now = SystemTime.monotonic()
        var newlyStored = 0
        for (publish, outcome) in zip(batch, outcomes) {
            switch outcome {
            case .stored:
                newlyStored += 1
                results.append(
                    PublishResult(publish: publish.accepted, verdict: .accepted, feedback: "stored"))
                if let route = publish.route {
                    stored.append((publish.seq, publish.message, route))
                } else {
                    CrashPoint.reached(.halfStored)
                    topics[publish.message.topic]?.half.add(1)
                    if case .connection(let publisher) = publish.accepted.origin {
                        halfMessages.insert(publish.message, publishedBy: publisher)
                    }
                }
            case .duplicate:
                counters.duplicates.add(1)
                results.append(
                    PublishResult(publish: publish.accepted, verdict: .accepted, feedback: "stored before"))
            case .decided(let outcome):
                counters.duplicates.add(1)
                results.append(
                    PublishResult(
                        publish: publish.accepted, verdict: .accepted, feedback: "stored before and \(outcome)"))
            case .refused(let reason):
                counters.refused.add(1)
                results.append(
                    PublishResult(publish: publish.accepted, verdict: .refused, feedback: reason))
            case .notYet(let reason):
                if isLate(publish, now: now) || fence.isRaised {
                    counters.failed.add(1)
                    results.append(refusal(of: publish, reason))
                } else {
                    waiting.append(publish)
                }
            }
        }
        counters.stored.add(newlyStored)
        if newlyStored > 0 { health.proved(shard) }
        met[shard].withLock { met in
            met.failures.end()
            for result in results where result.status { met.times.record(now - result.publish.arrivedAt) }
        }
        answer(results)
        CrashPoint.reached(.publishAcknowledged)
        dispatcher.accept(stored, shard: shard)
        return waiting
    }

    private func refusal(of publish: PendingPublish, _ reason: String) -> PublishResult {
        let outcome = publish.mayBeStored ? StoreAck.outcomeUnknown : "the message could not be stored: "
        return PublishResult(
            publish: publish.accepted, verdict: publish.mayBeStored ? .unknown : .tryAgain, feedback: outcome + reason)
    }

    private func fail(_ batch: [PendingPublish], _ error: any Error, shard: Int) {
        guard let first = batch.lazy.map(\.seq).min() else { return }
        counters.failed.add(batch.count)
        answer(batch.map { refusal(of: $0, "\(error)") })
        // An earlier try may have stored them all the same.
        dispatcher.reread(shard: shard, from: first)
    }

    private func answer(_ results: [PublishResult]) {
        for result in results where !result.status { topics[result.publish.message.topic]?.refused.add(1) }
        let byOrigin = Dictionary(grouping: results) { $0.publish.origin.identity }
        for results in byOrigin.values { results[0].publish.origin.answer(results) }
    }
}
