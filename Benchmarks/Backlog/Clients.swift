import KiteQ
import ServiceLifecycle

/// Clients of a run.
enum Clients {
    static func configuration(_ group: String, _ brokers: [String]) -> KiteQConfiguration {
        KiteQConfiguration(group: group, discovery: .brokers(brokers))
    }

    /// Runs these while `body` runs.
    static func running<Result>(
        _ services: [any Service], _ body: () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for service in services { tasks.addTask { try await service.run() } }
            defer { tasks.cancelAll() }
            return try await body()
        }
    }

    /// Looks again and again until it is so.
    /// - Throws: `BacklogError` at the deadline.
    static func until(
        _ what: String, within limit: Duration, every interval: Duration = .milliseconds(50),
        _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !condition() {
            guard ContinuousClock.now < deadline else { throw BacklogError("after \(limit) still not so: \(what)") }
            try await Task.sleep(for: interval)
        }
    }

    /// Publishes the bindings of a group through ZooKeeper, and returns once this broker routes by them. The group is away
    /// then, and nothing waits for it.
    static func bind(_ group: String, _ subscriptions: [Subscription], on stage: Stage, _ broker: String) async throws {
        let arrived = Tally()
        let consumer = try Consumer(
            KiteQConfiguration(group: group, discovery: .zooKeeper(stage.zooKeeper.server)),
            subscriptions: subscriptions, logger: quiet
        ) { _ in arrived.add() }
        let producer = try Producer(configuration("p-canary", [broker]), topics: [Stage.topic], logger: quiet)
        guard case .messageType(let type)? = subscriptions.first?.pattern else {
            throw BacklogError("a binding of a run names a message type")
        }
        try await running([consumer, producer]) {
            try await until("\(group) is bound", within: .seconds(60), every: .milliseconds(200)) {
                try await producer.publish(OutgoingMessage(topic: Stage.topic, messageType: type, text: "canary"))
                return arrived.count > 0
            }
            try await until("the canaries are gone", within: .seconds(60)) { try await stage.tables.rows("kite_message") == 0 }
        }
    }
}
