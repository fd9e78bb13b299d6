package import KiteQCore

/// What a broker is told. Durations are what their type says; counts and bytes are plain.
package struct BrokerConfiguration: Sendable {
    /// The address to listen on. Loopback unless configured.
    package var bindHost = "127.0.0.1"
    /// 0 picks a free port.
    package var bindPort = 13_800
    /// The address that clients find in the registry; by default the one it listens on.
    package var advertised: BrokerAddress?
    /// Stays the same over restarts; by default the advertised address.
    package var name: String?
    /// Ends whoever works under the name when it starts, in place of waiting and refusing to.
    package var takesOver = false
    package var topics: Set<String> = []
    /// Who is let in, and who may do what.
    package var access = AccessRules()
    package var tls = TLSOptions()
    /// Who else may reach the files of secrets that it reads.
    package var secretFiles = SecretFileRule.private

    package var eventLoopThreads = 0
    package var maxConnections = 20_000
    /// Connections from one address; an IPv6 address counts as its /64.
    package var maxConnectionsPerAddress = 2_000
    /// The longest body of a packet that clients may send, in bytes (docs/protocol.md#sizes: 2 MiB, and never more).
    package var maxPacket = 2 << 20
    /// The most properties of a published message.
    package var maxProperties = 256
    /// From a packet's first bytes to its last, while the socket is read.
    package var packetTimeout: Duration = .seconds(30)
    /// Silence after which a connection is dropped (docs/protocol.md#heartbeats: at least 120 s).
    package var idleTimeout: Duration = .seconds(180)
    /// From the connection's start to its CONN_META.
    package var handshakeTimeout: Duration = .seconds(10)

    /// What holds for the messages of all topics, but for what is said of one.
    package var topicDefaults = TopicSettings()
    /// The largest body of a topic's messages, in bytes.
    package var topicMaxBody: [String: Int] = [:]
    /// Publishes a second that are taken; more are refused. 0: no limit.
    package var receiveRate = 0
    /// Bytes of one connection's publishes that await their store ack; above it the socket is not read.
    package var connectionPublishBytes = 8 << 20
    /// Publishes that wait for a shard's writers; more are refused.
    package var shardQueueLength = 50_000
    package var shardQueueBytes = 64 << 20
    /// How long a publish waits for a store that does not take it; then it is refused (clients give up after 3 s).
    package var publishWait: Duration = .seconds(2)
    /// Connections (and so transactions at a time) that insert into one shard.
    package var writersPerShard = 2
    package var batchRows = 1_000
    package var batchBytes = 4 << 20
    /// Ids of finished messages that are remembered, and for how long (60 s).
    package var recentIDs = 200_000

    package var delivery = DeliveryLimits()
    package var transactions = TransactionSchedule()
    /// How often the store is asked what is due, whose publisher is to be asked, what dead brokers left, what expired.
    package var recoveryInterval: Duration = .seconds(1)
    /// When a half message none of whose publishers is connected is looked at again.
    package var absentPublisherRecheck: Duration = .seconds(5)
    /// Bytes of half messages kept in memory, so that a commit need not read them.
    package var halfMessageBytes = 32 << 20
    /// How long decided transactions are remembered, and dead letters kept.
    package var transactionRetention: Duration = .seconds(3_600)
    package var deadLetterRetention: Duration = .seconds(30 * 24 * 3_600)

    /// How long a stop waits for what is in flight.
    package var drainTimeout: Duration = .seconds(10)

    package init() {}

    var topicCatalog: TopicCatalog {
        let own = topicMaxBody.map { name, bytes in
            var settings = topicDefaults
            settings.publishing.maxBody = bytes
            return (BindingName(name), settings)
        }
        return TopicCatalog(
            defaults: topicDefaults,
            own: Dictionary(own, uniquingKeysWith: { $0.publishing.maxBody < $1.publishing.maxBody ? $0 : $1 }))
    }
}
