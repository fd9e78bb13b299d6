import KiteQ
import Logging
import ServiceLifecycle
import Synchronization

/// The senders of a run: so many publishes are awaited at a time, each followed by the next.
final class PublishLoad: Sendable {
    private let configuration: HarnessConfiguration
    private let history: History
    private let key: MessageKey
    private let producers: [Producer]
    private let isStopping = Mutex(false)
    private let failure = Mutex<String?>(nil)

    init(_ configuration: HarnessConfiguration, _ history: History, addresses: [String], logger: Logger) throws {
        self.configuration = configuration
        self.history = history
        let key = MessageKey(seed: configuration.seed)
        self.key = key
        let topology = Topology(brokers: configuration.brokers)
        producers = try Topology.publishers.indices.map { publisher in
            var client = KiteQConfiguration(
                group: Topology.publishers[publisher],
                discovery: .brokers(topology.brokers(ofPublisher: publisher).map { addresses[$0] }))
            client.maxBackoff = .milliseconds(500)
            return try Producer(client, topics: Topology.topics, logger: logger) { check in
                Self.answer(check, history, key)
            }
        }
    }

    var services: [any Service] { producers }

    /// What no sender could go on after.
    var problem: String? { failure.withLock { $0 } }

    /// Lets the senders finish the message that they are at.
    func stop() { isStopping.withLock { $0 = true } }

    /// Publishes until it is stopped.
    func run() async {
        await withTaskGroup(of: Void.self) { tasks in
            for sender in 0..<configuration.outstanding {
                tasks.addTask { await self.send(with: self.producers[sender % self.producers.count]) }
            }
        }
    }

    private func send(with producer: Producer) async {
        do {
            while !isStopping.withLock({ $0 }) {
                if history.gauges.owed > configuration.maxOwed {
                    try await Task.sleep(for: .milliseconds(Int.random(in: 20...60)))
                } else {
                    try await sendOne(with: producer)
                }
            }
        } catch is CancellationError {
            return
        } catch {
            failure.withLock { $0 = "a sender failed: \(error)" }
        }
    }

    private func sendOne(with producer: Producer) async throws {
        let number = history.nextMessage()
        let plan = MessagePlan(seed: configuration.seed, number: number)
        let kind = Topology.kinds[plan.kind]
        var message = OutgoingMessage(
            topic: kind.topic, messageType: kind.messageType, body: .text(MessageText.body(number, plan)),
            id: key.id(of: number))
        if plan.isPoison { message.deliverLimit = MessagePlan.poisonLimit }
        while true {
            history.beginPublish(number)
            do {
                if plan.isHalf {
                    let prepared = try await producer.prepare(message)
                    history.endPublish(number, .acknowledged)
                    history.settle(number, plan, isStored: true)
                    decide(prepared, number, plan)
                } else {
                    try await producer.publish(message)
                    history.endPublish(number, .acknowledged)
                    history.settle(number, plan, isStored: true)
                }
                return
            } catch let error as KiteQError {
                let outcome = try Self.outcome(of: error)
                history.endPublish(number, outcome)
                // Where nothing was sent there is nothing to be in doubt about. But a run must end without a broker too.
                let isLast = isStopping.withLock { $0 }
                if isLast || (outcome != .notSent && !plan.isRepeated) {
                    return history.settle(number, plan, isStored: false)
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...200)))
            } catch {
                history.endPublish(number, .outcomeUnknown)
                throw error
            }
        }
    }

    private static func outcome(of error: KiteQError) throws -> HistoryEvent.Kind {
        switch error.code {
        case .refused: return .refused
        case .outcomeUnknown: return .outcomeUnknown
        case .notConnected: return .notSent
        case .closed, .invalid: throw error
        }
    }

    /// The sender's own word, where it gives one. Noted first: the delivery may be here before this returns.
    private func decide(_ prepared: PreparedMessage, _ number: UInt32, _ plan: MessagePlan) {
        switch plan.way {
        case .committed:
            history.note(number, .committed)
            prepared.commit()
        case .rolledBack:
            history.note(number, .rolledBack)
            prepared.rollBack()
        case .plain, .askedCommit, .askedRollBack, .neverDecided: break
        }
    }

    /// What the application says when a broker asks.
    private static func answer(_ check: TransactionCheck, _ history: History, _ key: MessageKey) -> TransactionDecision
    {
        guard let number = key.number(of: check.messageID), let sender = history.sender(of: number) else {
            return .unknown
        }
        let decision: TransactionDecision
        switch sender {
        case .sending: decision = .unknown
        case .givenUp: decision = .rollBack
        case .stored:
            decision =
                switch MessagePlan(seed: history.seed, number: number).way {
                case .plain, .committed, .askedCommit: .commit
                case .rolledBack, .askedRollBack: .rollBack
                case .neverDecided: .unknown
                }
        }
        switch decision {
        case .commit: history.note(number, .answeredCommit)
        case .rollBack: history.note(number, .answeredRollBack)
        case .unknown: history.note(number, .answeredUnknown)
        }
        return decision
    }
}
