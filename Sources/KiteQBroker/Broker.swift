package import KiteQCore
package import Logging
package import NIOCore
import ServiceLifecycle
import Synchronization

/// A broker: what its parts are, in which order they start, and how it stops.
///
/// `run()` joins the store, learns the bindings, listens, and only then tells the registry where it is. At a graceful
/// shutdown it leaves in the reverse order: unregisters, stops accepting, finishes what is in flight within a limit, writes
/// what is to be written, and leaves the store.
package final class Broker: Service {
    private let configuration: BrokerConfiguration
    private let store: any MessageStore
    private let registry: any Registry
    private let group: any EventLoopGroup
    private let logger: Logger
    private let onServing: @Sendable (BrokerAddress) -> Void
    private let running = Mutex<BrokerParts?>(nil)

    /// - Parameter onServing: called once, when clients can connect, with the address to do so.
    package init(
        configuration: BrokerConfiguration, store: any MessageStore, registry: any Registry, group: any EventLoopGroup,
        logger: Logger, onServing: @escaping @Sendable (BrokerAddress) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.store = store
        self.registry = registry
        self.group = group
        self.logger = logger
        self.onServing = onServing
    }

    /// What it does and holds now; nil before it serves.
    package var status: BrokerStatus? { running.withLock { $0 }?.status }

    /// Why it is not ready; nil where it is.
    package func whyNotReady() async -> String? {
        guard running.withLock({ $0 }) != nil else { return "the broker is starting" }
        if !registry.isConnected { return "the registry cannot be reached" }
        do {
            try await store.check()
            return nil
        } catch {
            return "the store does not answer: \(error)"
        }
    }

    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            // The store and the registry outlive the graceful shutdown: they end when this group is cancelled.
            tasks.addTask { try await self.store.run() }
            tasks.addTask { try await self.registry.run() }
            tasks.addTask { try await self.serve() }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }

    private func serve() async throws {
        let address = try provisionalAddress()
        let identity = BrokerIdentity(name: configuration.name ?? address.description, address: address.description)
        let incarnation = try await store.join(as: identity)
        let parts = BrokerParts(
            configuration: configuration, store: store, incarnation: incarnation, group: group, logger: logger)
        logger.info("joined the store as incarnation \(incarnation)", metadata: ["broker": "\(identity.name)"])
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            defer { tasks.cancelAll() }
            tasks.addTask { try await self.followBindings(parts) }
            try await parts.bindingsAreKnown()
            try await parts.run { channel in
                let served = try self.address(of: channel)
                tasks.addTask {
                    try await self.registry.register(served, topics: self.configuration.topics.sorted())
                }
                self.running.withLock { $0 = parts }
                self.onServing(served)
                try await gracefulShutdown()
                self.logger.info("stopping: leaving the registry, finishing what is in flight")
                await self.unregister()
            }
            running.withLock { $0 = nil }
        }
    }

    /// A registry that is away must not hold up the stop.
    private func unregister() async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    try await self.registry.unregister()
                } catch {
                    self.logger.warning("could not unregister: \(error)")
                }
            }
            tasks.addTask {
                do {
                    try await Task.sleep(for: .seconds(3))
                    self.logger.warning("the registry does not answer, leaving without it")
                } catch {
                    // Unregistered in time.
                }
            }
            await tasks.next()
            tasks.cancelAll()
        }
    }

    // MARK: Bindings

    private func followBindings(_ parts: BrokerParts) async throws {
        let topics = configuration.topics.sorted()
        let lastKnown = try await store.savedBindings(topics: topics)
        var known: [Binding]?
        if let lastKnown, !registry.isConnected {
            logger.info("\(lastKnown.count) bindings as last known stand in until the registry answers")
            parts.apply(lastKnown)
        }
        for await bindings in registry.bindings(of: topics, lastKnown: lastKnown ?? []) where bindings != known {
            known = bindings
            parts.apply(bindings)
            do {
                try await store.saveBindings(bindings, topics: topics)
            } catch {
                logger.warning("could not save the bindings for a start without the registry: \(error)")
            }
        }
    }

    // MARK: Addresses

    /// Before it listens, for its name: the port may still be 0.
    private func provisionalAddress() throws -> BrokerAddress {
        if let advertised = configuration.advertised { return advertised }
        return BrokerAddress(host: configuration.bindHost, port: max(1, configuration.bindPort))
    }

    private func address(of channel: any Channel) throws -> BrokerAddress {
        let port = channel.localAddress?.port ?? configuration.bindPort
        if let advertised = configuration.advertised { return advertised }
        return BrokerAddress(host: configuration.bindHost, port: port)
    }
}
