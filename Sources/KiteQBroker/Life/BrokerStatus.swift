package import KiteQCore

/// What a broker did since its start, and what it holds now: for metrics and the console.
package struct BrokerStatus: Sendable {
    package var phase = BrokerPhase.serving
    /// What its shards say of it.
    package var readiness = Readiness([])
    /// The store's number of this life of it.
    package var incarnation: Int64 = 0
    package var delivery: DeliveryCounters
    package var gauges: DeliveryGauges
    package var publishing: PublishCounters
    package var transactions: TransactionCounters
    package var publishQueue: (items: Int, bytes: Int)
    package var connections: Int
    package var connectionsByGroup: [String: Int]
    package var malformedPackets: Int
    package var refusedConnections: Int
    /// What was refused, by kind: connections, and publishes of groups without the right to (`publish`).
    package var refusals: [String: Int] = [:]
    /// Connections that could not be accepted, for want of file descriptors.
    package var acceptFailures = 0
    /// Connections that are taken at most.
    package var connectionLimit = 0
    /// Clients whose connection is encrypted.
    package var tlsConnections = 0
    /// Half messages kept in memory, and their bytes.
    package var halfMessages: (items: Int, bytes: Int) = (0, 0)
    /// The names of those that are served now.
    package var servedTopics: [String] = []
    /// What it counts by topic, by name.
    package var topics: [TopicStatus] = []
    /// Those that it knows, by name: bound, here or elsewhere, or owed a message in memory.
    package var groups: [GroupStatus] = []
    package var shards: [ShardStatus] = []
    package var recovery = RecoveryCounters()
    package var latencies = BrokerLatencies()
    /// By shard; empty where the store has no connections.
    package var store: [StoreActivity] = []

    /// What is wrong with the clocks of this machine and of the shards' servers, a sentence each. It serves all the same.
    package var clockIncidents: [String] { shards.flatMap { $0.clock?.incidents(shard: $0.shard) ?? [] } }
}
