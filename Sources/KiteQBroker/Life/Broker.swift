package import KiteQCore
package import Logging
package import NIOCore
import ServiceLifecycle
import Synchronization

/// A broker: what its parts are, in which order they start, and how it stops.
///
/// `run()` listens, joins the store, learns the bindings, takes connections, and only then tells the registry where it is. At a
/// graceful shutdown it leaves in the reverse order: unregisters, stops accepting, finishes what is in flight within a limit,
/// writes what is to be written, and leaves the store.
///
/// It serves with the shards that it can reach, and joins the others when they come.
///
/// It has one life after another: where another broker declared it dead (it was paused, or cut off from the store, for longer
/// than its lease) it drops all that it holds and joins anew. Where another process has taken its name it ends.
package final class Broker: Service {
    let configuration: BrokerConfiguration
    private let store: any MessageStore
    let registry: any Registry
    private let bindingFollower: BindingFollower
    private let eventLoops: any EventLoopGroup
    let clock: any ProcessClock
    private let logger: Logger
    private let onServing: @Sendable (BrokerAddress) -> Void
    private let state = Mutex(State())
    private let drainWanted = Latch()

    private struct State {
        /// Nil before the store was joined; of one life after another.
        var life: BrokerLife?
        /// Whether clients can connect.
        var isServing = false
        var hasServed = false
        var whyStarting = "the broker is starting"
        /// Nil before the first files of TLS were read.
        var settings: SessionSettings?
    }

    /// - Parameter onServing: called once, when clients can connect, with the address to do so.
    package init(
        configuration: BrokerConfiguration, store: any MessageStore, registry: any Registry,
        eventLoops: any EventLoopGroup,
        clock: any ProcessClock = SystemClock(), logger: Logger,
        onServing: @escaping @Sendable (BrokerAddress) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.store = store
        self.registry = registry
        bindingFollower = BindingFollower(store: store, registry: registry, clock: clock, logger: logger)
        self.eventLoops = eventLoops
        self.clock = clock
        self.logger = logger
        self.onServing = onServing
    }

    /// Stops it as a graceful shutdown does; returns at once. `run()` returns when it has stopped, without an error, and
    /// `status` says how far it is.
    package func drain() {
        if !drainWanted.isSet { logger.notice("an operator asked this broker to stop") }
        drainWanted.set()
    }

    /// Puts other settings in force, at once where it runs. A topic that is new is served, and announced, when its bindings are
    /// known; sessions that would not be let in any more are closed.
    package func reload(_ settings: SessionSettings) {
        let life = state.withLock { state in
            state.settings = settings
            return state.life
        }
        life?.parts.update(settings)
        bindingFollower.follow(settings.topics)
    }

    /// Those of the life that serves, if one does.
    var parts: BrokerParts? { state.withLock { $0.isServing ? $0.life?.parts : nil } }

    /// Why it does not serve yet.
    var whyStarting: String { state.withLock { $0.whyStarting } }

    /// - Throws: what ends it: `BrokerError` where its configuration cannot be used.
    package func run() async throws {
        if state.withLock({ $0.settings == nil }) { reload(try SessionSettings(configuration)) }
        // Before the store is joined, which ends an earlier life of this broker: perhaps the one that has the address.
        let listener = Listener(eventLoops: eventLoops, logger: logger)
        let port = try await listener.bind(host: configuration.bindHost, port: configuration.bindPort)
        do {
            try await run(listener, on: port)
        } catch {
            await close(listener)
            throw error
        }
        await close(listener)
    }

    private func close(_ listener: Listener) async {
        listener.endSessions()
        do { try await listener.close() } catch {
            logger.debug("the listening socket was closed before: \(error)")
        }
    }

    private func run(_ listener: Listener, on port: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            // The store and the registry outlive the graceful shutdown: they end when this group is cancelled.
            tasks.addTask { try await self.store.run() }
            tasks.addTask { try await self.registry.run() }
            tasks.addTask { try await self.live(listener, on: port) }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }

    private func live(_ listener: Listener, on port: Int) async throws {
        let served = configuration.advertised ?? BrokerAddress(host: configuration.bindHost, port: port)
        // By order of whoever started it, and once: two that take the name from one another would do nothing else.
        var takesOver = configuration.takesOver
        var wasFenced = false
        while true {
            do {
                return try await serve(listener, at: served, takingOver: takesOver)
            } catch let error as StoreError where error.code == .nameTaken && wasFenced {
                throw BrokerError("this broker was declared dead for another process of its name: \(error)")
            } catch let error as StoreError where error.code == .fenced {
                logger.error("this broker was declared dead, joining anew with nothing in memory: \(error)")
                (takesOver, wasFenced) = (false, true)
                state.withLock { state in
                    state.isServing = false
                    state.whyStarting = "the broker joins the store anew"
                }
            }
        }
    }

    private func serve(_ listener: Listener, at address: BrokerAddress, takingOver: Bool) async throws {
        let identity = BrokerIdentity(name: configuration.name ?? address.description, address: address.description)
        guard let entry = try await unlessStopped({ try await self.join(identity, takingOver: takingOver) }) else {
            return
        }
        let life = try begin(entry, as: identity, listener)
        logger.info("joined the store as incarnation \(entry.incarnation)", metadata: ["broker": "\(identity.name)"])
        for (_, why) in entry.missing.sorted(by: { $0.key < $1.key }) {
            logger.error("serving without a shard, which is joined when it comes: \(why)")
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            defer { tasks.cancelAll() }
            tasks.addTask { await self.bindingFollower.run(life.parts.topicsInForce) }
            state.withLock { $0.whyStarting = Self.waitsForBindings }
            guard try await unlessStopped({ try await life.bindingsAreKnown() }) != nil else { return }
            try await life.run { try await self.serve(life, at: address) }
            state.withLock { $0.isServing = false }
        }
    }

    /// A new life. From here on a reload reaches it.
    private func begin(_ entry: StoreEntry, as identity: BrokerIdentity, _ listener: Listener) throws -> BrokerLife {
        guard let settings = state.withLock({ $0.settings }) else { throw BrokerError("the broker does not run") }
        let life = BrokerLife(
            BrokerParts(
                configuration: configuration, settings: settings, store: store, registry: registry,
                identity: identity, entry: entry, listener: listener, clock: clock, logger: logger))
        let newest = state.withLock { state in
            state.life = life
            return state.settings
        }
        if let newest { life.parts.update(newest) }
        return life
    }

    /// From the moment that clients can connect to that in which the broker is told to stop.
    private func serve(_ life: BrokerLife, at served: BrokerAddress) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            defer { tasks.cancelAll() }
            tasks.addTask { await self.announce(served, life.parts.topicsInForce) }
            let isFirst = state.withLock { state in
                defer { state.hasServed = true }
                state.isServing = true
                return !state.hasServed
            }
            if isFirst { onServing(served) }
            try await stopWanted()
            life.parts.phase.withLock { $0 = .leavingRegistry }
            logger.info("stopping: leaving the registry, finishing what is in flight")
            await unregister()
        }
    }

    /// Nil where the broker is told to stop before it is done.
    private func unlessStopped<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result? {
        do {
            return try await withThrowingTaskGroup(of: Result?.self) { race in
                race.addTask { try await cancelWhenGracefulShutdown { try await body() } }
                race.addTask {
                    try await self.waitForDrain()
                    return nil
                }
                defer { race.cancelAll() }
                return try await race.next() ?? nil
            }
        } catch is CancellationError where Task.isShuttingDownGracefully && !Task.isCancelled {
            return nil
        }
    }

    /// Returns when the process is to stop, or this broker.
    private func stopWanted() async throws {
        try await withThrowingTaskGroup(of: Void.self) { race in
            race.addTask { try await gracefulShutdown() }
            race.addTask { try await self.waitForDrain() }
            defer { race.cancelAll() }
            try await race.next()
        }
    }

    private func waitForDrain() async throws {
        await drainWanted.wait()
        try Task.checkCancellation()
    }

    /// Tells the registry which topics are served here, whenever that changes.
    private func announce(_ address: BrokerAddress, _ topicsInForce: TopicsInForce) async {
        var announced: Set<String>?
        for await topics in topicsInForce.changes where topics != announced {
            announced = topics
            await register(address, topics)
        }
    }

    private func register(_ address: BrokerAddress, _ topics: Set<String>) async {
        do {
            try await registry.register(address, topics: topics.sorted())
        } catch is CancellationError {
            // The broker stops.
        } catch {
            logger.critical("cannot register, clients will not find this broker: \(error)")
        }
    }

    /// Joins the store, as soon as a shard of it can be reached.
    /// - Throws: `CancellationError` where the task is cancelled before; `StoreError` where no waiting helps.
    private func join(_ identity: BrokerIdentity, takingOver: Bool) async throws -> StoreEntry {
        var failures = FailureStreak("join the store", logger, saysRefusals: true)
        while true {
            do {
                let entry = try await store.join(as: identity, takingOver: takingOver)
                failures.end()
                return entry
            } catch let error as StoreError
                where error.isOutage || error.code == .notMigrated && state.withLock({ $0.hasServed })
            {
                // Tables that were there are being put back.
                failures.add(error)
                state.withLock { $0.whyStarting = "the broker waits for the store: \(error)" }
                try await self.clock.sleep(for: .milliseconds(500))
            }
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
                    try await self.clock.sleep(for: .seconds(3))
                    self.logger.warning("the registry does not answer, leaving without it")
                } catch {
                    // Unregistered in time.
                }
            }
            await tasks.next()
            tasks.cancelAll()
        }
    }

    static let waitsForBindings = "the registry cannot be reached, and the store knows no bindings from before"
}
