import KiteQ
import Logging
import ServiceLifecycle

let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

extension KiteQConfiguration {
    /// Waits for long: the machine may have much else to do.
    static func patient(_ group: String, _ discovery: Discovery) -> KiteQConfiguration {
        var configuration = KiteQConfiguration(group: group, discovery: discovery)
        configuration.publishTimeout = .seconds(60)
        configuration.connectTimeout = .seconds(30)
        configuration.maxBackoff = .milliseconds(500)
        return configuration
    }
}

func producer(_ discovery: KiteQConfiguration.Discovery, group: String = "p-pay") throws -> Producer {
    try Producer(.patient(group, discovery), topics: ["trade"], logger: quiet)
}

func consumer(
    _ group: String, _ discovery: KiteQConfiguration.Discovery, type: String = "paid", concurrency: Int = 16,
    adjust: (inout KiteQConfiguration) -> Void = { _ in },
    _ handler: @escaping @Sendable (IncomingMessage) async throws -> Void
) throws -> Consumer {
    var configuration = KiteQConfiguration.patient(group, discovery)
    adjust(&configuration)
    return try Consumer(
        configuration, subscriptions: [Subscription(topic: "trade", .messageType(type))],
        concurrency: concurrency, logger: quiet, handler: handler)
}

/// Runs services while `body` does; then cancels them, and waits for their end.
func running<Result: Sendable>(
    _ services: [any Service], _ body: () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        for service in services {
            tasks.addTask {
                do {
                    try await service.run()
                } catch is CancellationError {
                    return
                }
            }
        }
        let result = try await body()
        tasks.cancelAll()
        try await tasks.waitForAll()
        return result
    }
}
