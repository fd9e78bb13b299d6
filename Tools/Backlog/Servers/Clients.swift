import KiteQ
import ServiceLifecycle

/// Clients of a run.
enum Clients {
    static func consumer(
        _ group: String, type: String, at brokers: [String], concurrency: Int = 16,
        handler: @escaping @Sendable (IncomingMessage) async throws -> Void
    ) throws -> Consumer {
        try Consumer(
            KiteQConfiguration(group: group, discovery: .brokers(brokers)),
            subscriptions: [.init(topic: Stage.topic, .messageType(type))], concurrency: concurrency, logger: quiet,
            handler: handler)
    }

    static func producer(
        _ group: String, at brokers: [String],
        onCheck: @escaping @Sendable (TransactionCheck) async throws -> TransactionDecision = { _ in .unknown }
    ) throws -> Producer {
        try Producer(
            KiteQConfiguration(group: group, discovery: .brokers(brokers)), topics: [Stage.topic], logger: quiet,
            onTransactionCheck: onCheck)
    }

    /// Runs these while `body` runs.
    static func running<Result>(_ services: [any Service], _ body: () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for service in services { tasks.addTask { try await service.run() } }
            defer { tasks.cancelAll() }
            return try await body()
        }
    }
}
