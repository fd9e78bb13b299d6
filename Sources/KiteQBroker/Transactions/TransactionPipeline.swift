import KiteQCore
import Logging

/// Takes commits and roll backs to the store: a lane and one writer for each shard, so that answers to one message keep
/// their order.
///
/// Producers wait for no reply. An answer that cannot be written is dropped and logged: the broker asks again.
final class TransactionPipeline: Sendable {
    struct Answer: Sendable {
        var decision: TransactionDecision
        /// The message, where this broker still holds it.
        var message: Message?
        /// Who answered, for the log.
        var peer: String
    }

    private let store: any MessageStore
    private let shardMap: ShardMap
    private let dispatcher: Dispatcher
    private let halfMessages: HalfMessageCache
    private let routing: Routing
    private let lanes: [BatchLane<Answer>]
    private let logger: Logger
    let counters = TransactionCounters()

    init(
        store: any MessageStore, dispatcher: Dispatcher, halfMessages: HalfMessageCache, routing: Routing,
        queueLength: Int, logger: Logger
    ) {
        self.store = store
        shardMap = store.shardMap
        self.dispatcher = dispatcher
        self.halfMessages = halfMessages
        self.routing = routing
        self.logger = logger
        lanes = (0..<store.shardMap.shardCount).map { _ in
            BatchLane(maxItems: queueLength, maxBytes: .max, size: { _ in 1 })
        }
    }

    func submit(_ id: MessageID, _ answer: TransactionDecision.Answer, from group: String, peer: String) {
        let message = halfMessages.message(id)
        let decision = TransactionDecision(
            messageID: id, answer: answer, connectionGroup: group, needsContent: message == nil)
        if lanes[shardMap.shard(of: id)].submit([Answer(decision: decision, message: message, peer: peer)]) == 0 {
            counters.dropped.add(1)
        }
    }

    func run(shard: Int) async {
        while let batch = await lanes[shard].take(maxItems: 500, maxBytes: .max) {
            do {
                let outcomes = try await store.decide(batch.map(\.decision), shard: shard) { [routing] in
                    // Publishes are taken only once the bindings are known, so there is a route for what was published.
                    routing.route(topic: $0, messageType: $1) ?? Route([])
                }
                complete(batch, outcomes, shard: shard)
            } catch {
                counters.dropped.add(batch.count)
                logger.error(
                    "cannot write \(batch.count) commits and roll backs, their producers will be asked: \(error)",
                    metadata: ["shard": "\(shard)"])
            }
        }
    }

    func close() {
        for lane in lanes { lane.close() }
    }

    private func complete(_ batch: [Answer], _ outcomes: [TransactionDecision.Outcome], shard: Int) {
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
                committed.append((seq, message, route))
            case .committedForNobody:
                counters.committed.add(1)
                halfMessages.remove(id)
            case .rolledBack:
                counters.rolledBack.add(1)
                halfMessages.remove(id)
            case .alreadyDecided, .unknown:
                counters.repeated.add(1)
                halfMessages.remove(id)
                logger.debug(
                    "an answer to message \(id) changes nothing: \(outcome)", metadata: ["peer": "\(answer.peer)"])
            case .wrongGroup(let publisher):
                counters.refused.add(1)
                logger.warning(
                    "refused an answer to half message \(id) of group \(publisher) from group \(answer.decision.connectionGroup)",
                    metadata: ["peer": "\(answer.peer)"])
            }
        }
        dispatcher.accept(committed, shard: shard)
    }
}
