import KiteQ
import Synchronization

/// One variant from the first publish to empty tables.
struct TakeoverRun: Sendable {
    static let type = "takeover"
    private static let consumers = "s-takeover"
    private static let producers = "p-takeover"
    /// Half messages prepared at a time.
    private static let together = 50

    private let variant: TakeoverVariant
    private let plan: TakeoverPlan
    private let stage: Stage

    init(_ variant: TakeoverVariant, messages: Int, _ stage: Stage) {
        self.variant = variant
        self.stage = stage
        plan = TakeoverPlan(count: messages)
    }

    func run() async throws -> TakeoverResult {
        let first = try stage.broker(1)
        let second = try stage.broker(2)
        try await first.start()
        try await second.start()
        try await Clients.bind(
            Self.consumers, [.init(topic: Stage.topic, .messageType(Self.type))], on: stage, first.address)
        let log = TakeoverLog()
        let plan = plan
        let consumer = try Consumer(
            Clients.configuration(Self.consumers, [second.address]),
            subscriptions: [.init(topic: Stage.topic, .messageType(Self.type))], logger: quiet
        ) { message in
            // A canary may be left over from before.
            if let number = Int(message.body.string) { log.delivered(number) }
        }
        let answering = try Producer(
            Clients.configuration(Self.producers, [second.address]), topics: [Stage.topic], logger: quiet
        ) { check in
            guard let number = check.properties["number"].flatMap({ Int($0) }) else { return .unknown }
            log.asked(number)
            return plan.decision(number)
        }
        var result = TakeoverResult(variant: variant, plan: plan)
        if variant == .absent {
            try await publish(to: first.address)
            result.deadAt = try await kill(first, log)
            try await Clients.running([consumer, answering]) { try await watch(&result, log) }
        } else {
            try await Clients.running([consumer, answering]) {
                // Both brokers have to know where the clients are before anything is published.
                try await Clients.until("broker 2 has the clients", within: .seconds(30)) {
                    try await stage.tables.sum(
                        "SELECT COUNT(*) > 0 FROM %@.kite_presence WHERE group_name = '\(Self.consumers)'")
                        == stage.tables.shards
                }
                if variant == .handOver { log.start() }
                try await publish(to: first.address)
                if variant == .elsewhere { result.deadAt = try await kill(first, log) }
                try await watch(&result, log)
            }
        }
        if variant == .handOver { try await first.stop() }
        try await second.stop()
        return result
    }

    private func kill(_ broker: BrokerProcess, _ log: TakeoverLog) async throws -> ContinuousClock.Instant {
        let halves = try await stage.tables.undecided()
        progress("killing broker 1 with \(try await stage.tables.rows("kite_message")) messages, \(halves) of them half")
        log.start()
        await broker.kill()
        return .now
    }

    private func publish(to broker: String) async throws {
        progress("publishing \(plan.count) messages to broker 1 (\(variant.rawValue))")
        let producer = try Producer(
            Clients.configuration(Self.producers, [broker]), topics: [Stage.topic], logger: quiet)
        try await Clients.running([producer]) {
            let halves = plan.halves
            for start in stride(from: 0, to: halves.count, by: Self.together) {
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for number in halves[start..<min(start + Self.together, halves.count)] {
                        // Forgotten: whoever is asked later decides.
                        tasks.addTask { _ = try await producer.prepare(plan.message(number)) }
                    }
                    try await tasks.waitForAll()
                }
            }
            for result in await producer.publish(contentsOf: plan.committed.map { plan.message($0) }) {
                _ = try result.get()
            }
        }
    }

    /// Notes when what happens, until nothing is left in the tables.
    private func watch(_ result: inout TakeoverResult, _ log: TakeoverLog) async throws {
        var leaseEnded: [Duration] = []
        var decided: Duration?
        var empty: Duration?
        let start = log.startedAt
        try await Clients.until("nothing is left", within: .seconds(120), every: .milliseconds(100)) {
            let now = ContinuousClock.now - start
            if variant != .handOver {
                let ended = Int(try await stage.tables.shardsWithout("broker-1"))
                while leaseEnded.count < ended { leaseEnded.append(now) }
            }
            if decided == nil, try await stage.tables.undecided() == 0 { decided = now }
            if decided != nil, try await stage.tables.rows("kite_message") == 0 { empty = now }
            return empty != nil
        }
        result.leaseEnded = leaseEnded
        result.decided = decided
        result.empty = empty
        result.log = log.contents
    }
}
