import KiteQCore
import Logging
import NIOCore
import Synchronization

/// What every session of a broker shares.
final class SessionServices: Sendable {
    let configuration: BrokerConfiguration
    /// Those that are served here.
    let topics: Set<BindingName>
    let credentials: Credentials
    let routing: Routing
    let recent: RecentMessages
    let dispatcher: Dispatcher
    let publishing: PublishPipeline
    let transactions: TransactionPipeline
    let connections: ConnectionTable
    let topicPublishes: TopicPublishes
    let logger: Logger
    let open = Counter()
    let refusedConnections = Counter()
    let malformed = Counter()
    /// Nil: no limit.
    private let receiveLimit: Mutex<TokenBucket?>
    private let nextID = Atomic<UInt64>(1)
    private let draining = Atomic<Bool>(false)

    init(
        configuration: BrokerConfiguration, routing: Routing, recent: RecentMessages, dispatcher: Dispatcher,
        publishing: PublishPipeline, transactions: TransactionPipeline, connections: ConnectionTable,
        topicPublishes: TopicPublishes, logger: Logger
    ) {
        self.configuration = configuration
        topics = Set(configuration.topics.map(BindingName.init))
        credentials = Credentials(secrets: configuration.secrets, requiresSecret: configuration.requiresSecret)
        self.routing = routing
        self.recent = recent
        self.dispatcher = dispatcher
        self.publishing = publishing
        self.transactions = transactions
        self.connections = connections
        self.topicPublishes = topicPublishes
        self.logger = logger
        receiveLimit = Mutex(configuration.receiveRate > 0 ? TokenBucket(rate: configuration.receiveRate) : nil)
    }

    func makeID() -> UInt64 { nextID.wrappingAdd(1, ordering: .relaxed).oldValue }

    var isDraining: Bool { draining.load(ordering: .relaxed) }
    func drain() { draining.store(true, ordering: .relaxed) }

    /// Whether one more publish is within the broker's receive rate.
    func takesPublish() -> Bool {
        guard configuration.receiveRate > 0 else { return true }
        return receiveLimit.withLock { $0?.take(upTo: 1, now: SystemTime.monotonic()) ?? 1 } == 1
    }
}
