import KiteQBroker
import KiteQCore
import KiteQRegistry
import Logging
import NIOPosix
import ServiceLifecycle

/// A broker of the measurement's own, on loopback, with bindings that are fixed.
struct BenchBroker {
    static let topic = "bench"
    /// Bound to a group that is away: every publish of it is stored and stays.
    static let storedType = "stored"
    static let deliveredType = "delivered"
    static let consumers = "s-bench"

    let store: any MessageStore
    let logger: Logger

    /// Runs `body` while the broker serves.
    func run<Result: Sendable>(_ body: @escaping @Sendable (BrokerAddress) async throws -> Result) async throws
        -> Result
    {
        var configuration = BrokerConfiguration()
        configuration.bindPort = 0
        configuration.name = "kiteq-bench"
        configuration.topics = [Self.topic]
        let bindings = [
            Binding(group: "s-bench-away", topic: Self.topic, messageType: Self.storedType),
            Binding(group: Self.consumers, topic: Self.topic, messageType: Self.deliveredType, watermark: 10_000_000),
        ]
        let (addresses, serving) = AsyncStream<BrokerAddress>.makeStream()
        let broker = Broker(
            configuration: configuration, store: store, registry: StaticRegistry(bindings: bindings),
            group: MultiThreadedEventLoopGroup.singleton, logger: logger, onServing: { serving.yield($0) })
        let services = ServiceGroup(services: [broker], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { serving.finish() }
                try await services.run()
            }
            guard let address = await addresses.first(where: { _ in true }) else {
                try await tasks.waitForAll()
                throw CommandError("the broker ended before it served")
            }
            let result = try await body(address)
            await services.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return result
        }
    }
}
