import KiteQCore
import Logging
import NIOCore
import Synchronization

/// What every session of a broker shares.
final class SessionServices: Sendable {
    let configuration: BrokerConfiguration
    let gatekeeper: Gatekeeper
    let admissions = Admissions()
    let accounts: GroupAccounts
    let backlogs = Backlogs()
    let refusals: Refusals
    let packetRoom: PacketRoom
    let routing: Routing
    let routes: RouteFinder
    let recent: RecentMessages
    let dispatcher: Dispatcher
    let publishing: PublishPipeline
    let transactions: TransactionPipeline
    let connections: ConnectionTable
    let clocks: ServerClocks
    let topicPublishes: TopicPublishes
    let clock: any ProcessClock
    let logger: Logger
    let malformed = Counter()
    /// Nil: no limit.
    private let receiveLimit: Mutex<TokenBucket?>
    private let current: Mutex<SessionSettings>
    private let changes = Atomic<Int>(0)
    private let nextID = Atomic<UInt64>(1)
    private let draining = Atomic<Bool>(false)

    init(
        configuration: BrokerConfiguration, settings: SessionSettings, routes: RouteFinder, recent: RecentMessages,
        dispatcher: Dispatcher, publishing: PublishPipeline, transactions: TransactionPipeline,
        connections: ConnectionTable, clocks: ServerClocks, topicPublishes: TopicPublishes, accounts: GroupAccounts,
        clock: any ProcessClock, logger: Logger
    ) {
        self.accounts = accounts
        self.configuration = configuration
        current = Mutex(settings)
        refusals = Refusals(logger: logger)
        packetRoom = PacketRoom(bytes: configuration.shardQueueBytes)
        self.routes = routes
        routing = routes.routing
        self.recent = recent
        self.dispatcher = dispatcher
        self.publishing = publishing
        self.transactions = transactions
        self.connections = connections
        self.clocks = clocks
        self.topicPublishes = topicPublishes
        self.clock = clock
        self.logger = logger
        gatekeeper = Gatekeeper(clock: clock)
        receiveLimit = Mutex(Self.bucket(settings))
    }

    // MARK: What a reload changes

    var settings: SessionSettings { current.withLock { $0 } }

    /// Grows with each change of the settings: whoever remembers them looks here whether they are old.
    var settingsVersion: Int { changes.load(ordering: .acquiring) }

    func apply(_ settings: SessionSettings) {
        let old = current.withLock { current in
            defer { current = settings }
            return current
        }
        if old.receiveRate != settings.receiveRate { receiveLimit.withLock { $0 = Self.bucket(settings) } }
        changes.wrappingAdd(1, ordering: .releasing)
    }

    private static func bucket(_ settings: SessionSettings) -> TokenBucket? {
        settings.receiveRate > 0 ? TokenBucket(rate: settings.receiveRate) : nil
    }

    // MARK: Serving

    func makeID() -> UInt64 { nextID.wrappingAdd(1, ordering: .relaxed).oldValue }

    var isDraining: Bool { draining.load(ordering: .relaxed) }
    func drain() { draining.store(true, ordering: .relaxed) }

    /// What a group's publishes are held against; nil where it has no such limits. To be kept, not asked for with each publish.
    func quota(of group: String, _ settings: SessionSettings) -> GroupQuota? {
        let limits = settings.access.limits(of: group)
        guard limits.concernPublishes else { return nil }
        return GroupQuota(
            group: group, account: accounts.account(of: group, now: clock.monotonic()), limits: limits)
    }

    /// Whether one more publish is within the broker's receive rate.
    func takesPublish(_ settings: SessionSettings) -> Bool {
        guard settings.receiveRate > 0 else { return true }
        return receiveLimit.withLock { $0?.take(upTo: 1, now: clock.monotonic()) ?? 1 } == 1
    }
}
