import KiteQCore
import Logging
import Synchronization

/// Takes commits and roll backs to the store: a lane and one writer for each shard, so that answers to one message keep
/// their order.
///
/// Producers wait for no reply. An answer is kept until it is written; one that finds the lane full, or the broker stopping, is
/// dropped: the producer is asked again. A commit of a topic that this broker does not serve takes another way; see
/// `TransactionPipeline+Others`.
final class TransactionPipeline: Sendable {
    typealias Answer = TransactionAnswer
    typealias RouteOf = @Sendable (_ topic: String, _ messageType: String) -> Route?

    let store: any TransactionStore & BindingStore
    let shardMap: ShardMap
    private let dispatcher: Dispatcher
    private let halfMessages: HalfMessageCache
    let routes: RouteFinder
    private let lanes: [BatchLane<Answer>]
    /// Commits of topics whose bindings are not known here, or whose expressions take long, and the answers that came after
    /// them.
    let others: [BatchLane<Answer>]
    /// What the store does not take for now, by shard.
    let asides: [Aside]
    /// Messages with answers there, and how many.
    let othersMessages = Mutex([MessageID: Int]())
    let leases: Leases
    private let topics: TopicPublishes
    private let accounts: GroupAccounts
    private let closed = Atomic<Bool>(false)
    private let written = Mutex(LatencyHistogram())
    let clocks: ServerClocks
    let log: TransactionLog
    let clock: any ProcessClock
    let logger: Logger
    let counters = TransactionCounters()

    init(
        store: any TransactionStore & BindingStore, dispatcher: Dispatcher, halfMessages: HalfMessageCache,
        routes: RouteFinder,
        leases: Leases, clocks: ServerClocks, topics: TopicPublishes, accounts: GroupAccounts, queueLength: Int,
        clock: any ProcessClock, logger: Logger
    ) {
        self.store = store
        shardMap = store.shardMap
        self.dispatcher = dispatcher
        self.halfMessages = halfMessages
        self.routes = routes
        self.leases = leases
        self.clocks = clocks
        self.topics = topics
        self.accounts = accounts
        self.clock = clock
        self.logger = logger
        log = TransactionLog(logger)
        let lanes = {
            (0..<store.shardMap.shardCount).map { _ in
                BatchLane<Answer>(
                    capacity: .init(items: queueLength), batch: .init(items: 500, bytes: Self.batchBytes),
                    size: { $0.message?.footprint ?? 0 }, clock: clock)
            }
        }
        self.lanes = lanes()
        others = lanes()
        asides = self.lanes.map { _ in Aside(capacity: queueLength) }
    }

    /// Of messages in memory that one batch of answers is about, or one message's.
    private static let batchBytes = 16 << 20
    /// Of messages in memory that a shard's answers hold; those of further ones are read from the store.
    private static let heldBytes = 64 << 20

    /// - Parameter trustsHeader: ``TransactionDecision/trustsHeader``
    func submit(
        _ id: MessageID, _ answer: TransactionDecision.Answer, from group: String, trustsHeader: Bool, peer: String,
        arrivedAt: MonotonicTime
    ) {
        let lane = lanes[shardMap.shard(of: id)]
        let known = halfMessages.message(id)
        let message = lane.depth.bytes < Self.heldBytes ? known?.message : nil
        let decision = TransactionDecision(
            messageID: id, answer: answer, connectionGroup: group, trustsHeader: trustsHeader,
            needsContent: message == nil, heldSeq: known?.seq, bytes: known?.message.footprint)
        if lane.submit([
            Answer(decision: decision, message: message, peer: peer, arrivedAt: arrivedAt)
        ]) == 0 {
            counters.dropped.add(1)
        }
    }

    /// Runs until its lane is closed and empty, and nothing more comes of it.
    func run(shard: Int) async {
        async let aside: Void = retryAside(shard: shard)
        async let others: Void = runOthers(shard: shard)
        var failures = FailureStreak("write commits and roll backs in shard \(shard)", logger)
        // Asked within a transaction: what takes long is for the other lane.
        let route: RouteOf = { [routing = routes.routing] in routing.soon(topic: $0, messageType: $1) }
        await lanes[shard].work { batch in
            let (own, behind) = split(batch)
            giveToOthers(behind, shard: shard)
            let free = withoutAside(own, shard: shard)
            guard !free.isEmpty else { return }
            giveToOthers(await write(free, shard: shard, route, &failures), shard: shard)
        }
        self.others[shard].close()
        await others
        asides[shard].close()
        await aside
    }

    /// Tries until it is written: the producers wait for no reply, and would be asked much later only. A stop gives up, and
    /// the answers are dropped. What the store does not take alone is put aside.
    ///
    /// - Returns: the answers that `route` knew no groups for.
    func write(
        _ batch: [Answer], shard: Int, _ route: @escaping RouteOf, _ failures: inout FailureStreak
    ) async -> [Answer] {
        var rest = batch
        var left: [Answer] = []
        while !rest.isEmpty {
            do {
                guard leases.isHeld(shard) else {
                    throw StoreError(.unavailable, "this broker's lease of shard \(shard) is not renewed")
                }
                let outcomes = try await store.decide(rest.map(\.decision), shard: shard, route: route)
                precondition(!outcomes.isEmpty, "a store says what became of one answer at least")
                CrashPoint.reached(.decided)
                failures.end()
                left += complete(rest, outcomes, shard: shard)
                // None overtakes one to the same message.
                let undecided = Set(left.map(\.decision.messageID))
                let next = rest.dropFirst(outcomes.count)
                left += next.filter { undecided.contains($0.decision.messageID) }
                rest = withoutAside(next.filter { !undecided.contains($0.decision.messageID) }, shard: shard)
            } catch {
                failures.add(error)
                rereadIfUnknown(error, shard: shard)
                guard await mayRetry(after: error) else {
                    counters.dropped.add(rest.count)
                    return left
                }
            }
        }
        return left
    }

    /// A try before may have committed some, which the next one takes for decided: they are in the store alone.
    func rereadIfUnknown(_ error: any Error, shard: Int) {
        if (error as? StoreError)?.isOutcomeUnknown == true { dispatcher.reread(shard: shard, from: 1) }
    }

    /// Whether the same may succeed after the short while that this takes.
    func mayRetry(after error: any Error) async -> Bool {
        let isTemporary = (error as? StoreError).map { $0.isTemporary || $0.isOutcomeUnknown } ?? false
        guard isTemporary, !isClosed, !Task.isCancelled else { return false }
        await clock.pause(.milliseconds(100))
        return true
    }

    /// From an answer's arrival to its being stored.
    var times: LatencyHistogram { written.withLock { $0 } }

    var isClosed: Bool { closed.load(ordering: .relaxed) }

    func close() {
        closed.store(true, ordering: .relaxed)
        for lane in lanes { lane.close() }
    }

    // MARK: Outcomes

    /// Returns the answers that are not decided, with what the store said of them. Those that are not written yet are put aside.
    func complete(
        _ batch: [Answer], _ outcomes: [TransactionDecision.Outcome], shard: Int
    ) -> [Answer] {
        let now = clock.monotonic()
        var committed: [(seq: Int64, message: Message, route: Route)] = []
        var left: [Answer] = []
        var decided: [Answer] = []
        var decidedGroups: [String] = []
        for (answer, outcome) in zip(batch, outcomes) {
            if case .unknownTopic(let undecided) = outcome {
                var answer = answer
                answer.undecided = undecided
                left.append(answer)
                continue
            }
            if case .notYet(let reason) = outcome {
                putAside(answer, shard: shard, reason)
                continue
            }
            decided.append(answer)
            if outcome.endsUndecided { decidedGroups.append(answer.decision.connectionGroup) }
            if let delivered = complete(answer, outcome) { committed.append(delivered) }
        }
        accounts.decided(decidedGroups)
        written.withLock { times in for answer in decided { times.record(now - answer.arrivedAt) } }
        dispatcher.accept(committed, shard: shard)
        return left
    }

    /// Returns what is to be delivered now.
    private func complete(
        _ answer: Answer, _ outcome: TransactionDecision.Outcome
    ) -> (seq: Int64, message: Message, route: Route)? {
        let id = answer.decision.messageID
        if case .wrongGroup = outcome {} else { halfMessages.remove(id) }
        switch outcome {
        case .committed(let seq, let route, let message):
            counters.committed.add(1)
            guard let message = message ?? answer.message else {
                preconditionFailure("a store gives the content of a committed message that it was asked for")
            }
            CrashPoint.reached(.committed)
            topics[message.topic]?.committed.add(1)
            return (seq, message, route)
        case .committedForNobody(let topic, let messageType):
            log.forNobody(answer, topic: topic, messageType: messageType)
            topics[topic]?.committedForNobody.add(1)
            counters.committed.add(1)
            counters.forNobody.add(1)
        case .rolledBack:
            CrashPoint.reached(.rolledBack)
            counters.rolledBack.add(1)
        case .decidedLate(let outcome):
            log.late(answer)
            counters.late.add(1)
            return complete(answer, outcome)
        case .alreadyDecided(let first) where answer.decision.answer.isContrary(to: first):
            log.contrary(answer, to: first)
            counters.contrary.add(1)
        case .alreadyDecided(.parked):
            log.parked(answer)
            counters.contrary.add(1)
        case .alreadyDecided, .unknown:
            counters.repeated.add(1)
            logger.debug("an answer to message \(id) changes nothing: \(outcome)", metadata: answer.logMetadata)
        case .wrongGroup(let publisher):
            log.wrongGroup(answer, publisher: publisher)
            counters.refused.add(1)
        case .unknownTopic, .notYet:
            preconditionFailure("what is left undecided is not complete")
        }
        return nil
    }
}
