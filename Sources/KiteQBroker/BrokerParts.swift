import KiteQCore
import Logging
import NIOCore
import Synchronization

/// The parts of a running broker, wired.
final class BrokerParts: Sendable {
    let configuration: BrokerConfiguration
    let store: any MessageStore
    private let group: any EventLoopGroup
    private let logger: Logger
    private let routing = Routing()
    let dispatcher: Dispatcher
    let halfMessages: HalfMessageCache
    let publishing: PublishPipeline
    let transactions: TransactionPipeline
    let connections = ConnectionTable()
    let services: SessionServices
    let messaging: Messaging
    private let bindingsKnown = Wakeup()
    let leases: Leases
    /// Until when what waits to be written behind is tried again; the end of time while the broker runs.
    private let writeUntil = Mutex(MonotonicTime.max)
    private let fence = Fence()
    let pausedGroups: PausedGroups
    let rateSampler: RateSampler
    let incarnation: Int64
    let phase = Mutex(BrokerPhase.serving)
    let topicPublishes: TopicPublishes

    init(
        configuration: BrokerConfiguration, store: any MessageStore, registry: any Registry, identity: BrokerIdentity,
        incarnation: Int64, group: any EventLoopGroup, logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.group = group
        self.logger = logger
        let recent = RecentMessages(limit: configuration.recentIDs)
        dispatcher = Dispatcher(
            shards: store.shardMap.shardCount, limits: configuration.delivery, topics: configuration.topics.sorted(),
            settleRows: configuration.batchRows, recent: recent, routing: routing)
        self.incarnation = incarnation
        topicPublishes = TopicPublishes(configuration.topics)
        pausedGroups = PausedGroups(store: store, dispatcher: dispatcher)
        leases = Leases(shards: store.shardMap.shardCount, duration: store.lease)
        halfMessages = HalfMessageCache(limit: configuration.halfMessageBytes)
        publishing = PublishPipeline(
            store: store, incarnation: incarnation, dispatcher: dispatcher, halfMessages: halfMessages,
            leases: leases, fence: fence, topics: topicPublishes, configuration: configuration, logger: logger)
        transactions = TransactionPipeline(
            store: store, dispatcher: dispatcher, halfMessages: halfMessages, routing: routing, leases: leases,
            topics: topicPublishes, queueLength: configuration.shardQueueLength, logger: logger)
        services = SessionServices(
            configuration: configuration, routing: routing, recent: recent, dispatcher: dispatcher,
            publishing: publishing, transactions: transactions, connections: connections,
            topicPublishes: topicPublishes, logger: logger)
        messaging = Messaging(services: services, identity: identity, incarnation: incarnation, registry: registry)
        rateSampler = RateSampler(
            dispatcher: dispatcher, store: store, broker: identity.name, logger: logger,
            topicStatus: { [dispatcher, topicPublishes] in TopicStatus.all(dispatcher, topicPublishes) })
    }

    // MARK: Bindings

    /// The bindings as they are now.
    func apply(_ bindings: [Binding]) {
        let table = BindingTable(bindings)
        for rejection in table.rejected {
            logger.warning(
                "a binding matches nothing: \(rejection.reason)",
                metadata: ["group": "\(rejection.binding.group)", "topic": "\(rejection.binding.topic)"])
        }
        routing.set(table)
        // A group's rate is that of its fastest binding.
        dispatcher.setWatermarks(
            Dictionary(table.bindings.map { ($0.group, $0.watermark) }, uniquingKeysWith: { max($0, $1) }))
        logger.info("\(table.bindings.count) bindings are in force")
        bindingsKnown.signal()
    }

    func bindingsAreKnown() async throws {
        for await _ in bindingsKnown.signals where routing.isKnown { return }
        try Task.checkCancellation()
    }

    // MARK: Running

    /// Listens, and serves until `body` returns; then stops in order.
    /// - Throws: what `body` throws; `StoreError` with `fenced` where another broker declared this one dead: nothing that it
    ///   holds is its own any more.
    func run(until body: @escaping @Sendable (any Channel) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { workers in
            // Nothing is accepted without a lease; one that cannot be had now is the keepers' business.
            for keeper in keepers { await keeper.begin() }
            await readPauses()
            addWorkers(to: &workers)
            defer { workers.cancelAll() }
            try await withThrowingTaskGroup(of: Void.self) { writers in
                addWriters(to: &writers)
                let channel: any Channel
                do {
                    channel = try await Server(services: services, group: group)
                        .bind(host: configuration.bindHost, port: configuration.bindPort)
                } catch {
                    closeLanes()
                    throw BrokerError("cannot listen on \(configuration.bindHost):\(configuration.bindPort): \(error)")
                }
                do {
                    try await unlessFenced { try await body(channel) }
                    try await unlessFenced { try await self.stop(channel) }
                } catch {
                    // Cancelled, or told to go at once: what is stored stays stored, what is in flight comes again.
                    do { try await channel.close() } catch {
                        logger.debug("the stop had closed the listening socket: \(error)")
                    }
                    messaging.end()
                    for connection in connections.all { connection.close() }
                    closeLanes()
                    writers.cancelAll()
                    throw error
                }
            }
        }
    }

    /// Before anything is delivered; where the store does not answer, the surveyor of the first shard goes on asking.
    private func readPauses() async {
        do { try await pausedGroups.refresh() } catch {
            logger.debug("it is not known yet which groups are paused: \(error)")
        }
    }

    private var keepers: [LeaseKeeper] {
        (0..<store.shardMap.shardCount).map { shard in
            LeaseKeeper(
                shard: shard, store: store, dispatcher: dispatcher, leases: leases, fence: fence, logger: logger)
        }
    }

    private func unlessFenced(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { race in
            race.addTask { try await body() }
            race.addTask { try await self.fence.watch() }
            defer { race.cancelAll() }
            try await race.next()
        }
    }

    /// What works until it is cancelled.
    private func addWorkers(to tasks: inout ThrowingTaskGroup<Void, any Error>) {
        let (dispatcher, publishing) = (self.dispatcher, self.publishing)
        tasks.addTask {
            while !Task.isCancelled {
                dispatcher.tick()
                publishing.tick()
                // What is begun while it rests, and due at once, is seen to a quarter of a second late.
                let isIdle = dispatcher.gauges.messages == 0 && publishing.depth.items == 0
                await pause(isIdle ? .milliseconds(250) : .milliseconds(50))
            }
        }
        let rateSampler = self.rateSampler
        tasks.addTask { await rateSampler.run() }
        for keeper in keepers { tasks.addTask { await keeper.run() } }
        for shard in 0..<store.shardMap.shardCount {
            let watcher = LeaseWatcher(
                shard: shard, store: store, leases: leases, fence: fence,
                interval: min(configuration.recoveryInterval, store.lease / 5), logger: logger)
            tasks.addTask { await watcher.run() }
            let surveyor = Surveyor(
                shard: shard, store: store, dispatcher: dispatcher, pausedGroups: shard == 0 ? pausedGroups : nil,
                leases: leases, interval: configuration.recoveryInterval, logger: logger)
            tasks.addTask { await surveyor.run() }
            let sweeper = Sweeper(
                shard: shard, store: store, dispatcher: dispatcher, leases: leases, configuration: configuration,
                logger: logger)
            tasks.addTask { await sweeper.run() }
            let recovery = RecoveryWorker(shard: shard, store: store, dispatcher: dispatcher, logger: logger)
            tasks.addTask { await recovery.run() }
            let worker = TransactionWorker(
                shard: shard, store: store, connections: connections, halfMessages: halfMessages, routing: routing,
                leases: leases, configuration: configuration, counters: transactions.counters, logger: logger)
            tasks.addTask { await worker.run() }
        }
    }

    /// What works until its lane is closed and empty.
    private func addWriters(to tasks: inout ThrowingTaskGroup<Void, any Error>) {
        for shard in 0..<store.shardMap.shardCount {
            let (publishing, transactions) = (self.publishing, self.transactions)
            let behind = WriteBehind(
                shard: shard, store: store, dispatcher: dispatcher,
                mayRetry: { self.writeUntil.withLock { SystemTime.monotonic() < $0 } }, logger: logger)
            tasks.addTask { await publishing.run(shard: shard) }
            tasks.addTask { await transactions.run(shard: shard) }
            tasks.addTask { await behind.run() }
        }
    }

    // MARK: Stopping

    /// Stops accepting, lets what is in flight finish within the limit, and leaves the write-behind lanes to run empty.
    private func stop(_ channel: any Channel) async throws {
        let deadline = ContinuousClock.now + configuration.drainTimeout
        phase.withLock { $0 = .finishingDeliveries }
        try await channel.close()
        services.drain()
        messaging.stop()
        for connection in connections.all { connection.drain() }
        publishing.close()
        dispatcher.drain()
        while dispatcher.gauges.inFlight > 0 || publishing.depth.items > 0, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(10))
        }
        let left = dispatcher.gauges.inFlight
        if left > 0 { logger.warning("\(left) deliveries were not acknowledged in time; they will come again") }
        phase.withLock { $0 = .closingConnections }
        dispatcher.endPulls()
        for connection in connections.all { connection.close() }
        while connections.count > 0, ContinuousClock.now < deadline + .seconds(1) {
            try await Task.sleep(for: .milliseconds(10))
        }
        phase.withLock { $0 = .writing }
        // Not before the last connection: a commit that is not written would have to be asked for.
        transactions.close()
        dispatcher.finishScans()
        writeUntil.withLock { $0 = SystemTime.monotonic() + configuration.drainTimeout.nanoseconds }
        for lane in dispatcher.lanes { lane.close() }
    }

    private func closeLanes() {
        writeUntil.withLock { $0 = 0 }
        publishing.close()
        transactions.close()
        dispatcher.finishScans()
        for lane in dispatcher.lanes { lane.close() }
    }
}
