import KiteQ
import Synchronization

/// From the first publish to empty tables.
final class TakeoverRun: Sendable {
    static let type = "takeover"
    static let consumers = "s-takeover"
    private static let producers = "p-takeover"
    /// Half messages prepared at a time.
    private static let together = 50

    private let plan: TakeoverPlan
    private let stage: Stage
    private let shards: Int
    private let state: Mutex<TakeoverResult>

    init(_ plan: TakeoverPlan, _ stage: Stage, shards: Int) {
        self.plan = plan
        self.stage = stage
        self.shards = shards
        state = Mutex(TakeoverResult(plan: plan))
    }

    /// The group is at both brokers, and its client at broker 1 acknowledges nothing.
    func result() async throws -> TakeoverResult {
        let (first, second) = (try stage.broker("broker-1"), try stage.broker("broker-2"))
        try await first.start()
        try await second.start()
        let holder = try Clients.consumer(Self.consumers, type: Self.type, at: [first.address], concurrency: 1) { _ in
            try await Task.sleep(for: .seconds(3_600))
        }
        let consumer = try Clients.consumer(Self.consumers, type: Self.type, at: [second.address]) { [self] message in
            guard let number = Int(message.body.string) else { throw BacklogError("a message that is not numbered") }
            state.withLock { $0.deliveries.append((number, .now)) }
        }
        let answering = try Clients.producer(Self.producers, at: [second.address]) { [self] check in
            guard let number = check.properties["number"].flatMap({ Int($0) }) else { return .unknown }
            state.withLock { $0.questions.append(.now) }
            return plan.isCommittedWhenAsked(number) ? .commit : .rollBack
        }
        try await Clients.running([holder, consumer, answering]) {
            try await until("both brokers have the group", within: .seconds(30)) {
                try await stage.tables.presences(of: Self.consumers) == 2 * shards
            }
            try await publish(to: first)
            try await kill(first)
            try await watch()
        }
        try await second.stop()
        return state.withLock { $0 }
    }

    /// Returns when all is stored and decided that is to be before the kill.
    private func publish(to broker: BrokerProcess) async throws {
        progress("publishing \(plan.count) messages to broker 1")
        let producer = try Clients.producer(Self.producers, at: [broker.address])
        try await Clients.running([producer]) {
            for start in stride(from: 0, to: plan.halves.count, by: Self.together) {
                try await withThrowingDiscardingTaskGroup { tasks in
                    for number in plan.halves[start..<min(start + Self.together, plan.halves.count)] {
                        tasks.addTask {
                            let prepared = try await producer.prepare(Self.message(number))
                            if self.plan.isCommittedAtOnce(number) { prepared.commit() }
                        }
                    }
                }
            }
            for published in await producer.publish(contentsOf: plan.whole.map(Self.message)) {
                _ = try published.get()
            }
            try await until("the commits are written", within: .seconds(10), every: .milliseconds(10)) {
                try await stage.tables.undecided == plan.undecided.count
            }
        }
    }

    private static func message(_ number: Int) -> OutgoingMessage {
        var message = OutgoingMessage(topic: Stage.topic, messageType: type, text: "\(number)")
        message.properties = ["number": "\(number)"]
        return message
    }

    private func kill(_ broker: BrokerProcess) async throws {
        let stored = try await stage.tables.messages
        progress("killing broker 1, which owns \(stored) messages")
        state.withLock { result in
            result.stored = stored
            result.killedAt = .now
        }
        await broker.kill()
    }

    /// Notes when what happens, until nothing is left in the tables.
    private func watch() async throws {
        try await until("nothing is left", within: .seconds(120), every: .milliseconds(100)) {
            let (undecided, messages) = (try await stage.tables.undecided, try await stage.tables.messages)
            return state.withLock { result in
                if undecided == 0, result.decidedAt == nil { result.decidedAt = .now }
                if undecided == 0, messages == 0 { result.emptyAt = .now }
                return result.emptyAt != nil
            }
        }
    }
}
