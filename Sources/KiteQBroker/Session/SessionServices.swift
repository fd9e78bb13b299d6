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
    let dispatcher: Dispatcher
    let publishing: PublishPipeline
    let transactions: TransactionPipeline
    let connections: ConnectionTable
    let clocks: ServerClocks
    let topicPublishes: TopicPublishes
    let clock: any ProcessClock
    let logger: Logger
    let malformed = Counter()
    /// Through which every publish goes.
    let gate: PublishGate
    private let receiveLimit: ReceiveLimit
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
        self.dispatcher = dispatcher
        self.publishing = publishing
        self.transactions = transactions
        self.connections = connections
        self.clocks = clocks
        self.topicPublishes = topicPublishes
        self.clock = clock
        self.logger = logger
        gatekeeper = Gatekeeper(clock: clock)
        receiveLimit = ReceiveLimit(settings)
        gate = PublishGate(
            publishing: publishing, topics: topicPublishes, refusals: refusals, recent: recent, backlogs: backlogs,
            receiveLimit: receiveLimit, clock: clock)
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
        receiveLimit.change(from: old, to: settings)
        changes.wrappingAdd(1, ordering: .releasing)
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
}
