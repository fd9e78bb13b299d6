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
    private let topology: Topology
    private let isStopping = Mutex(false)
    private let failure = Mutex<String?>(nil)

    init(_ configuration: HarnessConfiguration, _ history: History, addresses: [String], logger: Logger) throws {
        self.configuration = configuration
        self.history = history
        let key = MessageKey(seed: configuration.seed)
        self.key = key
        let topology = Topology(brokers: configuration.brokers, traits: configuration.traits)
        self.topology = topology
        producers = try Topology.publishers.indices.map { publisher in
            try Self.makeProducer(
                publisher, topology.brokers(ofPublisher: publisher).map { addresses[$0] }, history, key, logger)
        }
    }

    /// One more of a publisher, which is connected to these brokers alone.
    func makeProducer(publisher: Int, addresses: [String], logger: Logger) throws -> Producer {
        try Self.makeProducer(publisher, addresses, history, key, logger)
    }

    private static func makeProducer(
        _ publisher: Int, _ addresses: [String], _ history: History, _ key: MessageKey, _ logger: Logger
    ) throws -> Producer {
        var client = KiteQConfiguration(group: Topology.publishers[publisher], discovery: .brokers(addresses))
        client.maxBackoff = .milliseconds(500)
        return try Producer(client, topics: Topology.topics, logger: logger) { check in answer(check, history, key) }
    }

    var services: [any Service] { producers }

    /// What no sender could go on after.
    var problem: String? { failure.withLock { $0 } }

    /// Lets the senders finish the message that they are at.
    func stop() { isStopping.withLock { $0 = true } }

    var isStopped: Bool { isStopping.withLock { $0 } }

    /// Publishes until it is stopped.
    func run() async {
        await withTaskGroup(of: Void.self) { tasks in
            for sender in 0..<configuration.outstanding {
                tasks.addTask { await self.send(as: sender % self.producers.count) }
            }
        }
    }

    private func send(as publisher: Int) async {
        do {
            while !isStopped {
                if history.gauges.owed > configuration.maxOwed {
                    try await Task.sleep(for: .milliseconds(Int.random(in: 20...60)))
                } else {
                    try await sendOne { plan in
                        self.producers[self.topology.publisher(publisher, ofTopic: Topology.kinds[plan.kind].topic)]
                    }
                }
            }
        } catch is CancellationError {
            return
        } catch {
            failure.withLock { $0 = "a sender failed: \(error)" }
        }
    }

    /// Sends the next message by a producer of somebody's choice, and returns when its sender has come to its end with it.
    func sendOnce(
        with choose: @Sendable (MessagePlan) -> Producer, onAccepted: @Sendable () -> Void
    ) async {
        do {
            try await sendOne(with: choose, onAccepted: onAccepted)
        } catch is CancellationError {
            return
        } catch {
            failure.withLock { $0 = "a sender failed: \(error)" }
        }
    }

    private func sendOne(
        with choose: @Sendable (MessagePlan) -> Producer, onAccepted: @Sendable () -> Void = {}
    ) async throws {
        let number = history.nextMessage()
        let plan = MessagePlan(seed: configuration.seed, number: number, traits: configuration.traits)
        let kind = Topology.kinds[plan.kind]
        let producer = choose(plan)
        var message = OutgoingMessage(
            topic: kind.topic, messageType: kind.messageType, body: .text(MessageText.body(number, plan)),
            id: key.id(of: number))
        message.deliverLimit = plan.deliverLimit
        while true {
            history.beginPublish(number)
            do {
                if plan.isHalf {
                    let prepared = try await producer.prepare(message)
                    history.endPublish(number, .acknowledged)
                    onAccepted()
                    history.settle(number, plan, isStored: true)
                    decide(prepared, number, plan)
                } else {
                    try await producer.publish(message)
                    history.endPublish(number, .acknowledged)
                    onAccepted()
                    history.settle(number, plan, isStored: true)
                }
                if plan.isReused { try await sendAgain(message, number, plan, with: producer) }
                return
            } catch let error as KiteQError {
                let outcome = try Self.outcome(of: error)
                history.endPublish(number, outcome)
                // Where nothing was sent there is nothing to be in doubt about. But a run must end without a broker too.
                let isLast = isStopped
                let isGivenUp = isLast || (outcome != .notSent && !plan.isRepeated)
                if isGivenUp { history.settle(number, plan, isStored: false) }
                if isLast { return }
                // After a refusal too, or who is refused at once sends as fast as it can.
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...200)))
                if isGivenUp { return }
            } catch {
                history.endPublish(number, .outcomeUnknown)
                throw error
            }
        }
    }

    /// Publishes its id once more, as a message that needs no decision: a new life of it, the same as before, or refused.
    private func sendAgain(
        _ message: OutgoingMessage, _ number: UInt32, _ plan: MessagePlan, with producer: Producer
    ) async throws {
        // Over a half message that nobody decides at once, before it is parked; else while it is delivered, or after.
        if plan.way != .neverDecided { try await Task.sleep(for: .milliseconds(Int.random(in: 0...2_000))) }
        history.note(number, .reused)
        do {
            try await producer.publish(message)
            if plan.way == .rolledBack { history.owe(number, plan) }
            history.note(number, .reuseAcknowledged)
        } catch let error as KiteQError {
            switch try Self.outcome(of: error) {
            case .outcomeUnknown: history.note(number, .reuseUnknown)
            default: history.note(number, .reuseRefused)
            }
        } catch {
            history.note(number, .reuseUnknown)
            throw error
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
