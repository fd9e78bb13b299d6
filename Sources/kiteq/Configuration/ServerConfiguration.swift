import KiteQBroker
import KiteQCore
import KiteQStore
import Logging

/// Everything that `kiteq serve` can be told, with its defaults.
struct ServerConfiguration: Sendable {
    var broker = BrokerConfiguration()
    var redelivery = RedeliveryConfiguration()
    var transactions = TransactionSchedule()
    var groups = GroupConfiguration()
    var store = StoreOptions()
    var registry = RegistryOptions()
    /// Off where nil.
    var admin: Endpoint?
    var adminAccess = AdminOptions()
    /// Where each option that was said was said, by its key: the file's path, the variable's name, or the flag.
    var origins: [String: String] = [:]
    /// The file that options were read from; nil where there was none.
    var file: FileContent?
    /// Whose that file was.
    var fileFacts: FileFacts?
    var log = LogConfiguration()
    /// How long the store and the registry have until the broker serves; zero: for ever.
    var startTimeout: Duration = .zero

    var bind: Endpoint {
        get { Endpoint(host: broker.bindHost, port: broker.bindPort) }
        set {
            broker.bindHost = newValue.host
            broker.bindPort = newValue.port
        }
    }

    /// "" is none.
    var name: String {
        get { broker.name ?? "" }
        set { broker.name = newValue.isEmpty ? nil : newValue }
    }

    /// Sorted, so that a configuration reads the same each time.
    var topics: [String] {
        get { broker.topics.sorted() }
        set { broker.topics = Set(newValue) }
    }
}

/// When failed deliveries are made again (docs/protocol.md#redelivery).
struct RedeliveryConfiguration: Sendable, Hashable {
    var immediate: Int
    var steps: [RedeliverySchedule.Step]
    /// Milliseconds.
    var beyond: Int64

    init(_ schedule: RedeliverySchedule = RedeliverySchedule()) {
        immediate = schedule.immediate
        steps = schedule.steps
        beyond = schedule.beyond
    }
}

/// Who the groups are and what they may do, given itself or by files that hold it.
struct GroupConfiguration: Sendable, Hashable {
    enum DefaultRights: String, Sendable, Hashable, CaseIterable {
        case all
        case nothing = "none"
        /// All without a file of groups, and none with one.
        case unsaid = ""
    }

    /// "" is none.
    var file = ""
    var defaultRights = DefaultRights.unsaid
    var requireSecret = false
    /// Said in as many words: whoever reaches the port is let in as any group without a secret.
    var allowAnyone = false
    var secrets: [String: String] = [:]
    var secretFiles: [String: String] = [:]
    /// Of each group, where its own entry says nothing else.
    var limits = GroupLimits()
}

/// Where messages are. What a URL says itself wins over the rest.
struct StoreOptions: Sendable, Hashable {
    enum Security: String, Sendable, Hashable, CaseIterable {
        case off, required, verified
    }

    /// `mysql://…` or `memory://`; "" where it was not said.
    var url = ""
    /// One URL for each shard, where they are on several servers; empty where `url` says it.
    var shards: [String] = []
    var password = ""
    var passwordFile = ""
    var tls = Security.off
    /// A PEM file; "" is none.
    var tlsCA = ""
    /// For each shard.
    var connections = 6
    var waitTimeout: Duration = .seconds(5)
    var connectTimeout: Duration = .seconds(2)
    var readTimeout: Duration = .seconds(5)
    var writeTimeout: Duration = .seconds(5)
    var durability = MySQLStoreConfiguration.Durability.warn
    var lease: Duration = .seconds(10)
}

/// Where brokers and bindings are found.
struct RegistryOptions: Sendable, Hashable {
    enum NodeAccess: String, Sendable, Hashable, CaseIterable {
        case world, creator, `private`
    }

    /// `zk://…` or `file://…`; "" where it was not said.
    var url = ""
    /// `digest:USER:PASSWORD`; "" is none.
    var auth = ""
    var authFile = ""
    /// Of nodes that are made; nil: `private` with credentials, else `world`.
    var acl: NodeAccess?
    var sessionTimeout: Duration = .seconds(10)
}

/// What is logged, and how.
struct LogConfiguration: Sendable, Hashable {
    enum Format: String, Sendable, Hashable, CaseIterable {
        /// One line a record, for people.
        case text
        /// One JSON object a line, for collectors.
        case json
    }

    var level = Logger.Level.info
    var format = Format.text
}
