import KiteQCore
import Logging
import Synchronization

/// Takes commits and roll backs to the store: a lane and one writer for each shard, so that answers to one message keep
/// their order.
///
/// Producers wait for no reply. An answer is kept until it is written; one that finds the lane full, or the broker stopping, is
/// dropped: the producer is asked again.
final class TransactionPipeline: Sendable {
    struct Answer: Sendable {
        var decision: TransactionDecision
        /// The message, where this broker still holds it.
        var message: Message?
        /// Who answered, for the log.
        var peer: String
        var arrivedAt: MonotonicTime

        var logMetadata: Logger.Metadata {
            (message?.logMetadata ?? ["message": "\(decision.messageID)"]).with(["peer": "\(peer)"])
        }
    }

    /// Each kind of warning has its own: many of one do not hide another.
    private struct Throttles {
        var contrary = LogThrottle(limit: 10, per: .seconds(60))
        var wrongGroup = LogThrottle(limit: 10, per: .seconds(60))
    }

    private let store: any MessageStore
    private let shardMap: ShardMap
    private let dispatcher: Dispatcher
    private let halfMessages: HalfMessageCache
    private let routing: Routing
    private let lanes: [BatchLane<Answer>]
    private let leases: Leases
    private let topics: TopicPublishes
    private let isClosed = Atomic<Bool>(false)
    private let throttles = Mutex(Throttles())
    private let written = Mutex(LatencyHistogram())
    private let logger: Logger
    let counters = TransactionCounters()

    init(
        store: any MessageStore, dispatcher: Dispatcher, halfMessages: HalfMessageCache, routing: Routing,
        leases: Leases, topics: TopicPublishes, queueLength: Int, logger: Logger
    ) {
        self.store = store
        shardMap = store.shardMap
        self.dispatcher = dispatcher
        self.halfMessages = halfMessages
        self.routing = routing
        self.leases = leases
        self.topics = topics
        self.logger = logger
        lanes = (0..<store.shardMap.shardCount).map { _ in
            BatchLane(capacity: .init(items: queueLength), batch: .init(items: 500), size: { _ in 1 })
        }
    }

    func submit(
        _ id: MessageID, _ answer: TransactionDecision.Answer, from group: String, peer: String,
        arrivedAt: MonotonicTime
    ) {
        let message = halfMessages.message(id)
        let decision = TransactionDecision(
            messageID: id, answer: answer, connectionGroup: group, needsContent: message == nil)
        if lanes[shardMap.shard(of: id)].submit([
            Answer(decision: decision, message: message, peer: peer, arrivedAt: arrivedAt)
        ]) == 0 {
            counters.dropped.add(1)
        }
    }

    /// Runs until its lane is closed and empty.
    func run(shard: Int) async {
        var failures = FailureStreak("write commits and roll backs in shard \(shard)", logger)
        await lanes[shard].work { await write($0, shard: shard, &failures) }
    }

    /// Tries until it is written: the producers wait for no reply, and would be asked much later only. A stop gives up.
    private func write(_ batch: [Answer], shard: Int, _ failures: inout FailureStreak) async {
        while true {
            do {
                guard leases.isHeld(shard) else {
                    throw StoreError(.unavailable, "this broker's lease of shard \(shard) is not renewed")
                }
                let outcomes = try await store.decide(batch.map(\.decision), shard: shard) { [routing] in
                    // Publishes are taken only once the bindings are known, so there is a route for what was published.
                    routing.route(topic: $0, messageType: $1) ?? Route([])
                }
                CrashPoint.reached(.decided)
                complete(batch, outcomes, shard: shard)
                return failures.end()
            } catch {
                failures.add(error)
                // A try before may have committed some, which the next one takes for decided: they are in the store alone.
                if (error as? StoreError)?.isOutcomeUnknown == true { dispatcher.reread(shard: shard, from: 1) }
                let isTemporary = (error as? StoreError).map { $0.isTemporary || $0.isOutcomeUnknown } ?? false
                guard isTemporary, !isClosed.load(ordering: .relaxed), !Task.isCancelled else {
                    return counters.dropped.add(batch.count)
                }
                await pause(.milliseconds(100))
            }
        }
    }

    /// From an answer's arrival to its being stored.
    var times: LatencyHistogram { written.withLock { $0 } }

    func close() {
        isClosed.store(true, ordering: .relaxed)
        for lane in lanes { lane.close() }
    }

    private func complete(_ batch: [Answer], _ outcomes: [TransactionDecision.Outcome], shard: Int) {
        let now = SystemTime.monotonic()
        written.withLock { times in for answer in batch { times.record(now - answer.arrivedAt) } }
        var committed: [(seq: Int64, message: Message, route: Route)] = []
        for (answer, outcome) in zip(batch, outcomes) {
            let id = answer.decision.messageID
            switch outcome {
            case .committed(let seq, let route, let message):
                counters.committed.add(1)
                halfMessages.remove(id)
                guard let message = message ?? answer.message else {
                    preconditionFailure("a store gives the content of a committed message that it was asked for")
                }
                CrashPoint.reached(.committed)
                topics[message.topic]?.committed.add(1)
                committed.append((seq, message, route))
            case .committedForNobody:
                counters.committed.add(1)
                if let message = answer.message { topics[message.topic]?.committedForNobody.add(1) }
                halfMessages.remove(id)
            case .rolledBack:
                CrashPoint.reached(.rolledBack)
                counters.rolledBack.add(1)
                halfMessages.remove(id)
            case .alreadyDecided(let first) where answer.decision.answer.isContrary(to: first):
                counters.contrary.add(1)
                halfMessages.remove(id)
                guard let others = linesLeftOut(throttles.withLock { $0.contrary.admit(now: .now) }) else { continue }
                logger.warning(
                    "group \(answer.decision.connectionGroup) answered \(answer.decision.answer == .commit ? "commit" : "roll back") to half message \(id), which was \(first == .committed ? "committed" : "rolled back") before\(others); the first answer stands, see in the publisher's own tables which of them is right, and in the audit log whether a person decided",
                    metadata: answer.logMetadata)
            case .alreadyDecided, .unknown:
                counters.repeated.add(1)
                halfMessages.remove(id)
                logger.debug(
                    "an answer to message \(id) changes nothing: \(outcome)", metadata: answer.logMetadata)
            case .wrongGroup(let publisher):
                counters.refused.add(1)
                guard let others = linesLeftOut(throttles.withLock { $0.wrongGroup.admit(now: .now) }) else { continue }
                logger.warning(
                    "refused an answer to half message \(id) of group \(publisher) from group \(answer.decision.connectionGroup)\(others); a client is configured with another's group, or forges answers",
                    metadata: answer.logMetadata)
            }
        }
        dispatcher.accept(committed, shard: shard)
    }

    /// What a warning says of those before it that were not logged; nil where it is to be left out itself.
    private func linesLeftOut(_ count: Int?) -> String? {
        count.map { $0 > 0 ? " (\($0) more such lines were left out)" : "" }
    }
}
