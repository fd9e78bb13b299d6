import KiteQCore
import KiteQRegistry
import KiteQStore
import Logging
import NIOPosix
import ServiceLifecycle

@testable import KiteQBroker

/// A broker in this process for the time of a test.
struct BrokerFixture: Sendable {
    static let quiet: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    let address: BrokerAddress
    let broker: Broker
    let stop: @Sendable () async -> Void

    static func serving(
        _ bindings: [Binding] = [Binding(group: "s-member", topic: "trade", messageType: "paid")],
        store: any MessageStore = InMemoryMessageStore(), registry: (any Registry)? = nil,
        logger: Logger = quiet, configure: (inout BrokerConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (BrokerFixture) async throws -> Void
    ) async throws {
        var configuration = BrokerConfiguration()
        configuration.bindPort = 0
        configuration.name = "test"
        // A machine that runs all tests at once may be slow.
        configuration.topicDefaults.answerTime = 60_000_000_000
        // Most tests end with deliveries that nobody acknowledges.
        configuration.drainTimeout = .milliseconds(200)
        configuration.topics = ["trade"]
        configure(&configuration)
        let (addresses, serving) = AsyncStream<BrokerAddress>.makeStream()
        let broker = Broker(
            configuration: configuration, store: store, registry: registry ?? StaticRegistry(bindings: bindings),
            eventLoops: MultiThreadedEventLoopGroup.singleton, logger: logger, onServing: { serving.yield($0) })
        // As the command has it: a broker that is drained ends its process in order.
        let services = ServiceGroup(
            configuration: .init(
                services: [.init(service: broker, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { serving.finish() }
                try await services.run()
            }
            for await address in addresses {
                try await body(
                    BrokerFixture(
                        address: address, broker: broker, stop: { await services.triggerGracefulShutdown() }))
                break
            }
            await services.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Waits until the broker's own figures say so.
    func until(_ condition: (BrokerStatus) -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(50)
        while let status = broker.status, !condition(status) {
            guard ContinuousClock.now < deadline else { throw NeverHappened() }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Without which no test of it goes on.
    func messaging() throws -> Messaging {
        guard let messaging = broker.messaging else { throw NeverHappened() }
        return messaging
    }

    struct NeverHappened: Error {}
}
