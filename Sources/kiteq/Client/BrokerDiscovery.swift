import KiteQCore
import KiteQRegistry
import Logging

/// Finds the brokers of a topic for a command.
struct BrokerDiscovery: Sendable {
    let source: ClientArguments.Discovery
    let logger: Logger
    /// How long a registry has to name a broker.
    var limit: Duration = .seconds(10)

    /// Runs `body` with the brokers of a topic, and, where there is one, the registry, while that runs.
    /// - Throws: ``CommandError`` where the registry cannot be reached or names none.
    func run(
        topic: String, _ body: @escaping @Sendable ([BrokerAddress], (any Registry)?) async throws -> Void
    ) async throws {
        switch source {
        case .brokers(let addresses): try await body(addresses, nil)
        case .registry(let url):
            let registry = try RegistryFactory.configuration(RegistryOptions(url: url)).makeRegistry(logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await registry.run() }
                tasks.addTask {
                    let addresses = try await find(topic, in: registry)
                    try await body(addresses, registry)
                }
                defer { tasks.cancelAll() }
                // The registry runs until it is cancelled: what ends first is the body.
                try await tasks.next()
            }
        }
    }

    private func find(_ topic: String, in registry: any Registry) async throws -> [BrokerAddress] {
        try await withThrowingTaskGroup(of: [BrokerAddress].self) { tasks in
            tasks.addTask {
                for await addresses in registry.brokers(of: topic) where !addresses.isEmpty { return addresses }
                throw CancellationError()
            }
            tasks.addTask {
                try await Task.sleep(for: limit)
                throw CommandError(
                    registry.isConnected
                        ? "the registry knows no broker of topic \(topic)"
                        : "the registry cannot be reached within \(DurationText.write(limit))")
            }
            defer { tasks.cancelAll() }
            guard let addresses = try await tasks.next() else { throw CancellationError() }
            return addresses
        }
    }
}
