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
    private let configuration: BrokerConfiguration
    private let store: any MessageStore
    private let registry: any Registry
    private let group: any EventLoopGroup
    private let logger: Logger
    private let onServing: @Sendable (BrokerAddress) -> Void
    private let state = Mutex(State())
    private let drainWanted = Latch()

    private struct State {
        var parts: BrokerParts?
        var whyStarting = "the broker is starting"
        var hasServed = false
        /// Nil before the first files of TLS were read.
        var settings: SessionSettings?
        /// All topics that were ever wanted: half messages of one that is served no more still find their groups.
        var followed: Set<String> = []
        var followsOthers = Wakeup()
        /// The parts of this life, from before it serves.
        var life: BrokerParts?
    }

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
    package var status: BrokerStatus? { state.withLock { $0.parts }?.status }

    /// Its clients, by id from behind one on (0: from the first), of some groups or of all; nil before it serves.
    ///
    /// - Parameter limit: 1 to 1,000; what is beyond counts as the nearest.
    package func connections(
        of groups: Set<BindingName>? = nil, after id: UInt64 = 0, limit: Int
    ) -> ConnectionPage? {
        state.withLock { $0.parts }?.connections(of: groups, after: id, limit: min(max(1, limit), 1_000))
    }

    /// What it had in a second, by topic, by group and in all; nil before it serves.
    package var rates: Rates? { state.withLock { $0.parts }?.rateSampler.rates }

    /// Its name, and where clients reach it; with port 0, before it listens, the address is not yet that.
    package var identity: BrokerIdentity {
        if let parts = state.withLock({ $0.parts }) { return parts.messaging.identity }
        let address = configuration.advertised?.description ?? "\(configuration.bindHost):\(configuration.bindPort)"
        return BrokerIdentity(name: configuration.name ?? address, address: address)
    }

    /// Unix milliseconds, by the database server of the first shard: what is stored is dated so. By this machine's clock before
    /// it serves.
    package var time: Timestamp { state.withLock { $0.parts }?.clocks.general ?? SystemTime.wall() }

    package var isRegistryConnected: Bool { registry.isConnected }

    /// What of the registry cannot be used, for as long as that lasts.
    package var registryProblems: [RegistryProblem] { registry.problems }

    /// Ends a group's bindings for everybody, through the registry.
    /// - Throws: `RegistryError`.
    package func removeBindings(of group: String, from topics: [String]) async throws {
        try await registry.removeBindings(of: group, from: topics)
    }

    /// When it asks about half messages.
    package var transactionSchedule: TransactionSchedule { configuration.transactions }

    /// Those in force here, less those of groups that may not subscribe; none before it serves.
    package var bindings: [Binding] { state.withLock { $0.parts }?.routing.bindings ?? [] }

    /// Whether all bindings of a topic are known here.
    package func knows(_ topic: String) -> Bool { state.withLock { $0.parts }?.routing.knows(topic) ?? false }

    /// Bindings that match nothing here, since they cannot be used or are over a bound.
    package var rejectedBindings: [BindingTable.Rejections] {
        state.withLock { $0.parts }?.routing.rejections ?? []
    }

    /// Which groups a message of this topic and type is for now; nil before it serves, and where the topic's bindings are not
    /// known here.
    package func route(topic: String, messageType: String) -> Route? {
        state.withLock { $0.parts }?.routing.route(topic: topic, messageType: messageType)
    }

    /// Whether a group has a client, here or, as far as is known, at another broker; nil before it serves.
    package func isPresent(_ group: String) -> Bool? {
        state.withLock { $0.parts }?.routing.isPresent(group)
    }

    /// Looks at once which groups are paused; else it does so each `recoveryInterval`. Does nothing before it serves.
    /// - Throws: `StoreError` where the store cannot say.
    package func refreshPausedGroups() async throws {
        try await state.withLock { $0.parts }?.pausedGroups.refresh()
    }

    /// Stops it as a graceful shutdown does; returns at once. `run()` returns when it has stopped, without an error, and
    /// `status` says how far it is.
    package func drain() {
        if !drainWanted.isSet { logger.notice("an operator asked this broker to stop") }
        drainWanted.set()
    }

    /// Publish, pull and acknowledge without a connection; nil before it serves. To be asked for anew at each call.
    package var messaging: Messaging? { state.withLock { $0.parts }?.messaging }

    /// Whether it can do its work, by what its last writes and leases said. Nothing is asked for it.
    package var readiness: Readiness {
        let (parts, whyStarting) = state.withLock { ($0.parts, $0.whyStarting) }
        guard let parts else {
            guard whyStarting == Self.waitsForBindings, let problem = registry.problems.first else {
                return Readiness(notServing: whyStarting)
            }
            return Readiness(notServing: "the bindings are not known: \(problem.text)")
        }
        if parts.phase.withLock({ $0 }).isStopping { return Readiness(notServing: "the broker stops") }
        if !registry.isConnected { return Readiness(notServing: "the registry cannot be reached") }
        return parts.readiness
    }

    /// Puts other settings in force, at once where it runs. A topic that is new is served, and announced, when its bindings are
    /// known; sessions that would not be let in any more are closed.
    package func reload(_ settings: SessionSettings) {
        let (life, changed) = state.withLock { state in
            state.settings = settings
            let isNew = !settings.topics.isSubset(of: state.followed)
            state.followed.formUnion(settings.topics)
            return (state.life, isNew ? state.followsOthers : nil)
        }
        life?.update(settings)
        changed?.signal()
    }

    /// - Throws: what ends it: `BrokerError` where its configuration cannot be used.
    package func run() async throws {
        if state.withLock({ $0.settings == nil }) { reload(try SessionSettings(configuration)) }
        // Before the store is joined, which ends an earlier life of this broker: perhaps the one that has the address.
        let listener = Listener(group: group, logger: logger)
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
                    state.parts = nil
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
        let parts = try begin(entry, as: identity, listener)
        logger.info("joined the store as incarnation \(entry.incarnation)", metadata: ["broker": "\(identity.name)"])
        for (_, why) in entry.missing.sorted(by: { $0.key < $1.key }) {
            logger.error("serving without a shard, which is joined when it comes: \(why)")
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            defer { tasks.cancelAll() }
            let saver = BindingSaver(store: store, logger: logger)
            tasks.addTask { await saver.run() }
            tasks.addTask { await self.followBindings(parts, saver) }
            state.withLock {
                $0.whyStarting = Self.waitsForBindings
            }
            guard try await unlessStopped({ try await parts.bindingsAreKnown() }) != nil else { return }
            try await parts.run { try await self.serve(parts, at: address) }
            state.withLock { $0.parts = nil }
        }
    }

    /// The parts of a new life. From here on a reload reaches them.
    private func begin(_ entry: StoreEntry, as identity: BrokerIdentity, _ listener: Listener) throws -> BrokerParts {
        guard let settings = state.withLock({ $0.settings }) else { throw BrokerError("the broker does not run") }
        let parts = BrokerParts(
            configuration: configuration, settings: settings, store: store, registry: registry, identity: identity,
            entry: entry, listener: listener, logger: logger)
        let newest = state.withLock { state in
            state.life = parts
            return state.settings
        }
        if let newest { parts.update(newest) }
        return parts
    }

    /// From the moment that clients can connect to that in which the broker is told to stop.
    private func serve(_ parts: BrokerParts, at served: BrokerAddress) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            defer { tasks.cancelAll() }
            tasks.addTask { await self.announce(served, parts) }
            let isFirst = state.withLock { state in
                defer { state.hasServed = true }
                state.parts = parts
                return !state.hasServed
            }
            if isFirst { onServing(served) }
            try await stopWanted()
            parts.phase.withLock { $0 = .leavingRegistry }
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
    private func announce(_ address: BrokerAddress, _ parts: BrokerParts) async {
        var announced: Set<String>?
        for await topics in parts.servedTopics where topics != announced {
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
                try await Task.sleep(for: .milliseconds(500))
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

    private static let waitsForBindings =
        "the registry cannot be reached, and the store knows no bindings from before"

    /// Follows the bindings of all topics that are wanted, anew when there are others.
    private func followBindings(_ parts: BrokerParts, _ saver: BindingSaver) async {
        while !Task.isCancelled {
            let (topics, changed) = state.withLock { state in
                state.followsOthers = Wakeup()
                return (state.followed, state.followsOthers)
            }
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await self.followBindings(of: topics, parts, saver) }
                tasks.addTask { for await _ in changed.signals { return } }
                await tasks.next()
                tasks.cancelAll()
            }
            // The registry's streams end with it.
            if state.withLock({ $0.followed }) == topics { return }
        }
    }

    private func followBindings(of followed: Set<String>, _ parts: BrokerParts, _ saver: BindingSaver) async {
        let topics = followed.sorted()
        guard let saved = await savedBindings(topics, following: followed, parts) else { return }
        let lastKnown = saved.sorted { $0.key < $1.key }.flatMap(\.value)
        if !saved.isEmpty, !registry.isConnected, !parts.knowsBindings {
            logger.info(
                "\(lastKnown.count) bindings of \(saved.count) topics as last known stand in until the registry answers"
            )
            // Of a topic that was never saved nothing is known, not that nobody is bound to it.
            parts.apply(lastKnown, of: Set(saved.keys))
        }
        await apply(registry.snapshots(of: topics, lastKnown: lastKnown), of: followed, parts, saver)
    }

    /// - Parameter saver: nil while what was saved before could not be read: what it has and the registry has not would be lost.
    private func apply(
        _ snapshots: AsyncStream<BindingSnapshot>, of followed: Set<String>, _ parts: BrokerParts,
        _ saver: BindingSaver?
    ) async {
        var known: BindingSnapshot?
        for await snapshot in snapshots where snapshot != known {
            known = snapshot
            // A topic of which nobody knows who is bound to it is not served: its messages would reach nobody.
            let visible = followed.filter { !snapshot.hidden.contains(BindingName($0)) }
            parts.apply(snapshot.bindings, of: visible)
            saver?.save(snapshot.bindings, of: visible.sorted())
        }
    }

    /// What the store remembers, by topic, without the topics that were never saved, as soon as it can be asked: until then what the
    /// registry says is in force, once it answers. Nil where the task was cancelled before, or the registry ended.
    private func savedBindings(
        _ topics: [String], following followed: Set<String>, _ parts: BrokerParts
    ) async -> [String: [Binding]]? {
        do { return try await readSavedBindings(topics) } catch {
            logger.debug("the bindings as last known cannot be read yet: \(error)")
        }
        return await withTaskGroup(of: [String: [Binding]]?.self) { tasks in
            tasks.addTask {
                await self.apply(self.registry.snapshots(of: topics, lastKnown: nil), of: followed, parts, nil)
                return nil
            }
            tasks.addTask {
                var failures = FailureStreak("read the bindings as last known", self.logger)
                while !Task.isCancelled {
                    do { return try await self.readSavedBindings(topics) } catch {
                        failures.add(error)
                        await pause(.milliseconds(500))
                    }
                }
                return nil
            }
            defer { tasks.cancelAll() }
            return await tasks.next() ?? nil
        }
    }

    private func readSavedBindings(_ topics: [String]) async throws -> [String: [Binding]] {
        var saved: [String: [Binding]] = [:]
        for topic in topics { saved[topic] = try await store.savedBindings(topics: [topic]) }
        return saved
    }
}
