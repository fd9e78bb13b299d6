import KiteQBroker
import KiteQCore
import KiteQRegistry
import KiteQStore
import Logging
import NIOPosix
import ServiceLifecycle

@testable import KiteQ

/// A real broker in this process, its messages in memory, for the time of a test.
struct TestBroker: Sendable {
    let address: String
    let broker: Broker
    let stop: @Sendable () async throws -> Void

    static let topic = "trade"

    /// Serves on loopback with these bindings while `body` runs.
    static func serving(
        _ bindings: [Binding] = [], port: Int = 0, store: any MessageStore = InMemoryMessageStore(),
        configure: (inout BrokerConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (TestBroker) async throws -> Void
    ) async throws {
        var configuration = BrokerConfiguration()
        configuration.bindPort = port
        configuration.name = "test"
        configuration.topicDefaults.answerTime = 60_000_000_000
        configuration.drainTimeout = .milliseconds(200)
        configuration.topics = [topic]
        configure(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let (addresses, serving) = AsyncStream<BrokerAddress>.makeStream()
        let broker = Broker(
            configuration: configuration, store: store, registry: StaticRegistry(bindings: bindings),
            eventLoops: MultiThreadedEventLoopGroup.singleton, logger: logger, onServing: { serving.yield($0) })
        let services = ServiceGroup(services: [broker], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { serving.finish() }
                try await services.run()
            }
            for await address in addresses {
                try await body(
                    TestBroker(
                        address: address.description, broker: broker,
                        stop: {
                            await services.triggerGracefulShutdown()
                            // Its port is free for another one then.
                            while broker.status != nil { try await Task.sleep(for: .milliseconds(2)) }
                        }))
                break
            }
            await services.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    func configuration(_ group: String) -> KiteQConfiguration {
        var configuration = KiteQConfiguration(group: group, discovery: .brokers([address]))
        // A machine that runs all tests at once may be slow: what is tested is not how fast it is.
        configuration.publishTimeout = .seconds(30)
        configuration.connectTimeout = .seconds(30)
        return configuration
    }
}

/// Runs services while `body` does; then cancels them.
func running(_ services: [any Service], _ body: @escaping @Sendable () async throws -> Void) async throws {
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
        try await body()
        tasks.cancelAll()
        try await tasks.waitForAll()
    }
}

/// What handlers saw, to be awaited.
struct Arrivals<Value: Sendable>: Sendable {
    let stream: AsyncStream<Value>
    let yield: @Sendable (Value) -> Void

    init() {
        let (stream, continuation) = AsyncStream<Value>.makeStream()
        self.stream = stream
        yield = { continuation.yield($0) }
    }

    /// The next ones, in the order they came.
    func next(_ count: Int) async -> [Value] {
        var values: [Value] = []
        for await value in stream {
            values.append(value)
            if values.count == count { break }
        }
        return values
    }
}
