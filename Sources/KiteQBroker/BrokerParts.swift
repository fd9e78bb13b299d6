import KiteQCore
import Logging
import NIOCore
import Synchronization

/// The parts of a running broker, wired.
final class BrokerParts: Sendable {
    let configuration: BrokerConfiguration
    let store: any MessageStore
    let listener: Listener
    private let logger: Logger
    let routing = Routing()
    let dispatcher: Dispatcher
    let halfMessages: HalfMessageCache
    let publishing: PublishPipeline
    let transactions: TransactionPipeline
    let connections = ConnectionTable()
    let services: SessionServices
    let messaging: Messaging
    private let bindingsKnown = Wakeup()
    private let bindingLog: BindingLog
    private let service: Mutex<Service>
    /// The topics that are served, whenever they change: those whose bindings are known.
    let servedTopics: AsyncStream<Set<String>>
    private let servedTopicsContinuation: AsyncStream<Set<String>>.Continuation
    let leases: Leases
    let clocks: ServerClocks
    let health: WriteHealth
    /// Until when what waits to be written behind is tried again; the end of time while the broker runs.
    private let writeUntil = Mutex(MonotonicTime.max)
    private let fence = Fence()
    let pausedGroups: PausedGroups
    let rateSampler: RateSampler
    let incarnation: Int64
    let phase = Mutex(BrokerPhase.serving)
    let topicPublishes: TopicPublishes
    let recovery = RecoveryCounters()

    init(
        configuration: BrokerConfiguration, settings: SessionSettings, store: any MessageStore, registry: any Registry,
        identity: BrokerIdentity, entry: StoreEntry, listener: Listener, logger: Logger
    ) {
        service = Mutex(Service(wanted: settings))
        (servedTopics, servedTopicsContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.configuration = configuration
        self.store = store
        self.listener = listener
        self.logger = logger
        bindingLog = BindingLog(logger: logger)
        let recent = RecentMessages(limit: configuration.recentIDs)
        let routes = RouteFinder(routing)
        dispatcher = Dispatcher(
            shards: store.shardMap.shardCount, limits: configuration.delivery, topics: settings.topics.sorted(),
            settleRows: configuration.batchRows, recent: recent, routing: routing, logger: logger)
        incarnation = entry.incarnation
        topicPublishes = TopicPublishes(settings.topics)
        pausedGroups = PausedGroups(store: store, dispatcher: dispatcher)
        leases = Leases(shards: store.shardMap.shardCount, duration: store.lease, missing: entry.missing)
        clocks = ServerClocks(shards: store.shardMap.shardCount, logger: logger)
        health = WriteHealth(shards: store.shardMap.shardCount)
        halfMessages = HalfMessageCache(limit: configuration.halfMessageBytes)
        publishing = PublishPipeline(
            store: store, entry: entry, dispatcher: dispatcher, halfMessages: halfMessages,
            leases: leases, clocks: clocks, fence: fence, health: health, topics: topicPublishes,
            configuration: configuration,
            logger: logger)
        let accounts = GroupAccounts()
        transactions = TransactionPipeline(
            store: store, dispatcher: dispatcher, halfMessages: halfMessages, routes: routes, leases: leases,
            clocks: clocks, topics: topicPublishes, accounts: accounts, queueLength: configuration.shardQueueLength,
            logger: logger)
        services = SessionServices(
            configuration: configuration, settings: settings, routes: routes, recent: recent, dispatcher: dispatcher,
            publishing: publishing, transactions: transactions, connections: connections, clocks: clocks,
            topicPublishes: topicPublishes, accounts: accounts, logger: logger)
        messaging = Messaging(
            services: services, identity: identity, incarnation: entry.incarnation, registry: registry)
        rateSampler = RateSampler(
            dispatcher: dispatcher, store: store, broker: identity.name, logger: logger,
            time: { [clocks] in clocks.general },
            topicStatus: { [dispatcher, topicPublishes] in TopicStatus.all(dispatcher, topicPublishes) })
    }

    // MARK: What a reload changes

    /// What is wanted, and what is known of the bindings: what follows from the two changes with either.
    private struct Service {
        var wanted: SessionSettings
        var bindings: [Binding] = []
        /// The topics that these are all bindings of.
        var known: Set<String> = []
        var objections: Set<Binding> = []
        /// What is in force.
        var table = BindingTable.empty

        /// Bindings of groups that may not subscribe to their topics, which anybody can put into the registry, count for nothing.
        mutating func permitted() -> (bindings: [Binding], newObjections: Set<Binding>) {
            let access = wanted.access
            let refused = Set(bindings.filter { !access.maySubscribe($0.group, to: $0.topic) })
            defer { objections = refused }
            return (bindings.filter { !refused.contains($0) }, refused.subtracting(objections))
        }
    }

    /// Takes new settings: for sessions at their next packet, and for those that are not let in any more at once. A topic that
    /// is new is served once its bindings are known: a message that nobody seems to be bound to would be gone.
    func update(_ settings: SessionSettings) {
        let isOld = service.withLock { service in
            defer { service.wanted = settings }
            return service.wanted === settings
        }
        if isOld { return }
        dispatcher.count(topics: settings.topics)
        topicPublishes.add(settings.topics)
        reconsider()
        var closed = 0
        for connection in connections.all {
            guard let objection = connection.admission.objection(connection.group, settings) else { continue }
            closed += 1
            logger.debug(
                "closing a connection: \(objection)",
                metadata: ["peer": "\(connection.peer)", "group": "\(connection.group)"])
            connection.close()
        }
        if closed > 0 { logger.notice("closed \(closed) connections that would not be let in any more") }
    }

    // MARK: Bindings

    /// The bindings of these topics as they are now.
    func apply(_ bindings: [Binding], of topics: Set<String>) {
        service.withLock { service in
            service.bindings = bindings
            service.known = topics
        }
        reconsider()
        bindingsKnown.signal()
    }

    /// Puts in force what follows from settings and bindings. Of several at once each sees all that came before it.
    private func reconsider() {
        let (table, objections, rejected, served) = service.withLock { service in
            let (bindings, objections) = service.permitted()
            let table = BindingTable(bindings, after: service.table)
            let rejected = table.newlyRejected(since: service.table)
            service.table = table
            let served = service.wanted.serving(service.wanted.topics.intersection(service.known))
            // Routes first: nothing of a new topic is taken before there are any.
            routing.set(table, of: service.known, access: service.wanted.access)
            services.apply(served)
            // A group's rate is that of its fastest binding.
            dispatcher.setWatermarks(
                Dictionary(table.bindings.map { ($0.group, $0.watermark) }, uniquingKeysWith: { max($0, $1) }))
            servedTopicsContinuation.yield(served.topics)
            return (table, objections, rejected, served)
        }
        bindingLog.ignore(objections)
        bindingLog.reject(rejected)
        bindingLog.inForce(table.bindings.count, topics: served.topics.count)
    }

    var knowsBindings: Bool { routing.isKnown }

    /// Waits until they are, and keeps the leases meanwhile: others take whoever does not renew them for dead.
    /// - Throws: `StoreError` with `fenced` where they did.
    func bindingsAreKnown() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for keeper in keepers {
                tasks.addTask {
                    // The join was as good as a renewal.
                    await pause(self.store.lease / 3)
                    await keeper.run()
                }
            }
            defer { tasks.cancelAll() }
            try await unlessFenced {
                for await _ in self.bindingsKnown.signals where self.routing.isKnown { return }
                try Task.checkCancellation()
            }
        }
    }

    // MARK: Running

    /// Serves until `body` returns; then stops in order.
    /// - Throws: what `body` throws; `StoreError` with `fenced` where another broker declared this one dead: nothing that it
    ///   holds is its own any more.
    func run(until body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { workers in
            // Nothing is accepted without a lease; one that cannot be had now is the keepers' business.
            try await withThrowingTaskGroup(of: Void.self) { tries in
                for keeper in keepers { tries.addTask { try await keeper.begin() } }
                try await tries.waitForAll()
            }
            await readPauses()
            addWorkers(to: &workers)
            defer { workers.cancelAll() }
            try await withThrowingTaskGroup(of: Void.self) { writers in
                addWriters(to: &writers)
                listener.serve(services)
                do {
                    try await unlessFenced { try await body() }
                    try await unlessFenced { try await self.stop() }
                } catch {
                    // Cancelled, or told to go at once: what is stored stays stored, what is in flight comes again.
                    listener.endSessions()
                    messaging.end()
                    for connection in connections.all { connection.close() }
                    closeLanes()
                    writers.cancelAll()
                    throw error
                }
            }
        }
    }

    /// Before anything is delivered; where the first shard does not answer, its surveyor goes on asking.
    private func readPauses() async {
        do {
            if let why = leases.whyAway(0) { throw StoreError(.unavailable, why) }
            try await pausedGroups.refresh()
        } catch {
            logger.warning(
                "it is not known yet which groups are paused, so all get their messages until it is: \(error)")
        }
    }

    private var keepers: [LeaseKeeper] {
        (0..<store.shardMap.shardCount).map { shard in
            LeaseKeeper(
                shard: shard, store: store, dispatcher: dispatcher, leases: leases, clocks: clocks, fence: fence,
                publishing: publishing, logger: logger)
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
        let quotaSurvey = QuotaSurvey(
            store: store, services: services, leases: leases, interval: configuration.recoveryInterval * 5,
            logger: logger)
        tasks.addTask { await quotaSurvey.run() }
        let rateSampler = self.rateSampler
        tasks.addTask { await rateSampler.run() }
        for keeper in keepers { tasks.addTask { await keeper.run() } }
        let longestWait = configuration.delivery.schedule.longestWait
        for shard in 0..<store.shardMap.shardCount {
            let watcher = LeaseWatcher(
                shard: shard, store: store, leases: leases, fence: fence, health: health,
                interval: min(configuration.recoveryInterval, store.lease / 5), counters: self.recovery, logger: logger)
            tasks.addTask { await watcher.run() }
            let probe = WriteProbe(
                shard: shard, store: store, leases: leases, health: health,
                interval: min(configuration.recoveryInterval, store.lease / 5), logger: logger)
            tasks.addTask { await probe.run() }
            let surveyor = Surveyor(
                shard: shard, store: store, dispatcher: dispatcher, pausedGroups: shard == 0 ? pausedGroups : nil,
                leases: leases, clocks: clocks, longestWait: longestWait, interval: configuration.recoveryInterval,
                counters: self.recovery, logger: logger)
            tasks.addTask { await surveyor.run() }
            let sweeper = Sweeper(
                shard: shard, store: store, dispatcher: dispatcher, leases: leases, clocks: clocks,
                configuration: configuration, counters: self.recovery, logger: logger)
            tasks.addTask { await sweeper.run() }
            let recovery = RecoveryWorker(
                shard: shard, store: store, dispatcher: dispatcher, clocks: clocks, longestWait: longestWait,
                counters: self.recovery, logger: logger)
            tasks.addTask { await recovery.run() }
            let worker = TransactionWorker(
                shard: shard, store: store, connections: connections, halfMessages: halfMessages, routing: routing,
                leases: leases, clocks: clocks, configuration: configuration, counters: transactions.counters,
                logger: logger)
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
    private func stop() async throws {
        let deadline = ContinuousClock.now + configuration.drainTimeout
        phase.withLock { $0 = .finishingDeliveries }
        try await listener.close()
        services.drain()
        messaging.stop()
        servedTopicsContinuation.finish()
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
