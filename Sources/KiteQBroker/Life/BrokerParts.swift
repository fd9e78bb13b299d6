import KiteQCore
import Logging
import Synchronization

/// The parts of a broker, wired for one life of it.
final class BrokerParts: Sendable {
    let configuration: BrokerConfiguration
    let store: any MessageStore
    let listener: Listener
    let clock: any ProcessClock
    let logger: Logger
    let routing = Routing()
    let dispatcher: Dispatcher
    let halfMessages: HalfMessageCache
    let publishing: PublishPipeline
    let transactions: TransactionPipeline
    let connections = ConnectionTable()
    let services: SessionServices
    let messaging: Messaging
    let topicsInForce: TopicsInForce
    let leases: Leases
    let clocks: ServerClocks
    let health: WriteHealth
    let fence = Fence()
    let pausedGroups: PausedGroups
    let rateSampler: RateSampler
    let incarnation: Int64
    let phase = Mutex(BrokerPhase.serving)
    let topicPublishes: TopicPublishes
    let recovery = RecoveryCounters()

    init(
        configuration: BrokerConfiguration, settings: SessionSettings, store: any MessageStore, registry: any Registry,
        identity: BrokerIdentity, entry: StoreEntry, listener: Listener, clock: any ProcessClock, logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.listener = listener
        self.clock = clock
        self.logger = logger
        let recent = RecentMessages(limit: configuration.recentIDs, clock: clock)
        let routes = RouteFinder(routing)
        dispatcher = Dispatcher(
            shards: store.shardMap.shardCount, limits: configuration.delivery, topics: settings.topics.sorted(),
            catalog: configuration.topicCatalog, settleRows: configuration.batchRows, recent: recent, routing: routing,
            clock: clock, logger: logger)
        incarnation = entry.incarnation
        topicPublishes = TopicPublishes(settings.topics)
        pausedGroups = PausedGroups(store: store, dispatcher: dispatcher)
        leases = Leases(shards: store.shardMap.shardCount, duration: store.lease, missing: entry.missing, clock: clock)
        clocks = ServerClocks(shards: store.shardMap.shardCount, clock: clock, logger: logger)
        health = WriteHealth(shards: store.shardMap.shardCount, clock: clock)
        halfMessages = HalfMessageCache(limit: configuration.halfMessageBytes)
        publishing = PublishPipeline(
            PublishContext(
                store: store, entry: entry, dispatcher: dispatcher, halfMessages: halfMessages, leases: leases,
                clocks: clocks, fence: fence, health: health, topics: topicPublishes, configuration: configuration,
                clock: clock),
            logger: logger)
        let accounts = GroupAccounts()
        transactions = TransactionPipeline(
            store: store, dispatcher: dispatcher, halfMessages: halfMessages, routes: routes, leases: leases,
            clocks: clocks, topics: topicPublishes, accounts: accounts, queueLength: configuration.shardQueueLength,
            clock: clock, logger: logger)
        services = SessionServices(
            configuration: configuration, settings: settings, routes: routes, recent: recent, dispatcher: dispatcher,
            publishing: publishing, transactions: transactions, connections: connections, clocks: clocks,
            topicPublishes: topicPublishes, accounts: accounts, clock: clock, logger: logger)
        topicsInForce = TopicsInForce(
            wanted: settings, routing: routing, dispatcher: dispatcher, services: services, logger: logger)
        messaging = Messaging(
            services: services, identity: identity, incarnation: entry.incarnation, registry: registry)
        rateSampler = RateSampler(
            dispatcher: dispatcher, store: store, broker: identity.name, clock: clock, logger: logger,
            time: { [clocks] in clocks.general },
            topicStatus: { [dispatcher, topicPublishes] in TopicStatus.all(dispatcher, topicPublishes) })
    }

    /// Takes new settings: for sessions at their next packet, and for those that are not let in any more at once.
    func update(_ settings: SessionSettings) {
        dispatcher.count(topics: settings.topics)
        topicPublishes.add(settings.topics)
        guard topicsInForce.want(settings) else { return }
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
}
