import KiteQ
import KiteQBroker
import KiteQCore
import KiteQRegistry
import KiteQStore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// A broker in this process for the time of a test, so that it can be looked into.
struct HostedBroker: Sendable {
    let broker: Broker
    private let served: Served

    private final class Served: Sendable {
        let address = Mutex<BrokerAddress?>(nil)
    }

    /// Runs a broker, which may not serve yet, while `body` does; then stops it in order.
    static func run(
        _ store: MySQLStoreConfiguration, registry: any Registry, name: String = "broker",
        configure: (inout BrokerConfiguration) throws -> Void = { _ in },
        _ body: @escaping @Sendable (HostedBroker) async throws -> Void
    ) async throws {
        var configuration = BrokerConfiguration()
        configuration.bindPort = 0
        configuration.name = name
        configuration.topics = ["trade"]
        configuration.recoveryInterval = .milliseconds(100)
        // A machine that runs all tests at once may be slow.
        configuration.topicDefaults.answerTime = 60_000_000_000
        configuration.drainTimeout = .seconds(5)
        try configure(&configuration)
        let served = Served()
        let broker = Broker(
            configuration: configuration, store: MySQLMessageStore(store, logger: quiet), registry: registry,
            eventLoops: MultiThreadedEventLoopGroup.singleton, logger: quiet,
            onServing: { address in served.address.withLock { $0 = address } })
        let services = ServiceGroup(services: [broker], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await services.run() }
            try await body(HostedBroker(broker: broker, served: served))
            await services.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// With bindings of groups to message type `paid`.
    static func run(
        _ store: MySQLStoreConfiguration, groups: [String], name: String = "broker",
        configure: (inout BrokerConfiguration) throws -> Void = { _ in },
        _ body: @escaping @Sendable (HostedBroker) async throws -> Void
    ) async throws {
        let bindings = groups.map { Binding(group: $0, topic: "trade", messageType: "paid") }
        try await run(
            store, registry: StaticRegistry(bindings: bindings), name: name, configure: configure, body)
    }

    /// Nil while nobody can connect.
    var address: BrokerAddress? { served.address.withLock { $0 } }

    /// Where clients find it, once it serves.
    func discovery() async throws -> KiteQConfiguration.Discovery {
        try await eventually("the broker serves") { address != nil }
        return .brokers([address?.description ?? ""])
    }

    /// Waits until the broker's own figures say so.
    func until(_ what: String, _ condition: (BrokerStatus) -> Bool) async throws {
        try await eventually(what) { broker.status.map(condition) ?? false }
    }

    /// Waits until it says why it is not ready, in these words; with nil until it is.
    func untilReady(_ words: String? = nil) async throws {
        try await eventually(words.map { "not ready: \($0)" } ?? "ready") {
            let reason = broker.readiness.sentence
            guard let words else { return reason == nil }
            return reason?.contains(words) == true
        }
    }

    /// Waits until so many deliveries are in flight or next: those of a group that is still at its backlog are not.
    func untilHeld(_ count: Int) async throws {
        try await until("\(count) are in memory") { $0.gauges.inFlight + $0.gauges.queued == count }
    }

    /// Waits until it has nothing of any message in memory.
    func untilNothingIsHeld() async throws {
        try await until("nothing is held") {
            $0.gauges.messages == 0 && $0.gauges.bytes == 0 && $0.gauges.inFlight == 0 && $0.gauges.unflushed == 0
        }
    }
}
