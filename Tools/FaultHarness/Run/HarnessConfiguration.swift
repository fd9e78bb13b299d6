package import Foundation
package import LocalServers

/// What a run is told.
package struct HarnessConfiguration: Sendable {
    package enum Database: String, Sendable, Hashable, CaseIterable {
        case mariaDB = "mariadb"
        case mySQL = "mysql"
        // Clusters.
        case groupReplication = "group-replication"
        case galera
        case pair
        /// HAProxy in front of Galera or of a pair.
        case haProxy = "haproxy"

        package var isCluster: Bool { self != .mariaDB && self != .mySQL }
    }

    package var seed: UInt64
    package var wishes: [FaultSchedule.Wish]
    /// When faults end; nil: when each kind has had its count.
    package var duration: Duration?
    package var brokers = 1
    package var shards = 2
    package var lease: Duration = .seconds(3)
    package var database = Database.mariaDB
    /// What HAProxy is in front of: Galera or a pair.
    package var behind = Database.galera
    package var balance = LocalHAProxy.Balance.first
    package var patience = LocalGroupReplication.Patience()
    package var traits: LoadTraits = []
    /// The built `kiteq`.
    package var executable: URL
    /// Where the servers' data and logs are; made where it is missing.
    package var folder: URL

    /// Publishes awaited at a time.
    package var outstanding = 700
    /// Publishes pause while more deliveries than this are owed: consumers hold each for a while.
    package var maxOwed = 8_000
    package var consumersPerBroker = 3
    /// How long a consumer holds a delivery.
    package var hold: ClosedRange<Duration> = .milliseconds(200) ... .milliseconds(1_400)
    /// No fault before so many publishes and so many deliveries are open.
    package var openPublishes = 500
    package var openDeliveries = 500
    /// How long that load is waited for before a fault happens without it.
    package var loadLimit: Duration = .seconds(60)
    /// From one fault's end to the next one's beginning, at least.
    package var calm: Duration = .milliseconds(1_500)

    /// How long before a fault a delivery may have been acknowledged, and come again because of it: what some groups have
    /// finished is written after 1 s, and the write behind takes a while.
    package var window: Duration = .seconds(3)
    /// How long after its end a fault of the database or a pause may still show: connections are made anew, calls end.
    package var aftermath: Duration = .seconds(5)
    /// How long the tables may stay as they are at the end before that counts as a failure.
    package var drainLimit: Duration = .seconds(90)
    /// How long publishes may be away after a cluster's fault before the cluster is brought back to whole without them.
    package var flowLimit: Duration = .seconds(90)
    /// When half messages are asked about: first after the lower bound, then with growing distance up to the upper one.
    package var checks: ClosedRange<Duration> = .seconds(1) ... .seconds(2)
    package var maxChecks = 10
    package var logLevel = "warning"
    /// The most resident memory that a broker may have where bodies of any size are sent; its own bounds add up to
    /// less than half of that.
    package var residentLimit = 400 << 20

    package init(seed: UInt64, wishes: [FaultSchedule.Wish], duration: Duration?, executable: URL, folder: URL) {
        self.seed = seed
        self.wishes = wishes
        self.duration = duration
        self.executable = executable
        self.folder = folder
    }

    /// How long the brokers wait for an answer. The consumers answer within 1.4 s; what a machine adds that is busy with all this is no fault of a
    /// broker. Where handlers are to be slow it is less, so that they need not be slower than a run has time for.
    package var deliveryTimeout: Duration { traits.contains(.slow) ? .seconds(6) : .seconds(15) }
    /// How long a slow handler holds a delivery.
    package var slowHold: ClosedRange<Duration> { deliveryTimeout * 1.5...deliveryTimeout * 3 }

    package var usesClocks: Bool { wishes.contains { $0.kind == .clockWrong } }
    package var usesShardProxies: Bool { wishes.contains { $0.kind == .shardDown } }
    package var usesZooKeeper: Bool { wishes.contains { $0.kind.needsZooKeeper } }
    package var usesProxies: Bool { wishes.contains { $0.kind.needsProxy } }

    /// The cluster that brokers write to, whatever is in front of it; nil: one server.
    package var cluster: Database? { database == .haProxy ? behind : database.isCluster ? database : nil }
    /// Whether members of the group are to be cut off from one another.
    package var usesPartitions: Bool { wishes.contains { $0.kind == .writerPartition } }
    /// Whether the replica is to be some way from the primary.
    package var usesDistance: Bool { wishes.contains { $0.kind == .staleReplica } }

    /// Why its faults do not go with its database; nil where they do.
    private var problemOfDatabase: String? {
        guard let cluster else {
            return wishes.first { $0.kind.isOfCluster }.map {
                "\($0.kind.rawValue) is of a cluster: --database group-replication, galera, pair or haproxy"
            }
        }
        if database == .haProxy, behind != .galera, behind != .pair {
            return "HAProxy is in front of galera or pair, not of \(behind.rawValue)"
        }
        for (kind, _) in wishes {
            if kind.needsOneServer {
                return "\(kind.rawValue) is of one server, not of a cluster: --database mariadb or mysql"
            }
            switch (kind, cluster) {
            case (.switchWriter, .galera): return "switch is nothing that Galera has: any node takes writes"
            case (.writerPartition, .pair):
                return "writer-partition is nothing for a pair: nobody decides when its two cannot hear each other"
            case (.staleReplica, .galera), (.staleReplica, .groupReplication), (.twoWritable, .galera),
                (.twoWritable, .groupReplication):
                return "\(kind.rawValue) is of a pair: --database pair"
            default: continue
            }
        }
        return nil
    }

    /// Why it cannot be run; nil for a good one.
    package var problem: String? {
        if let problemOfDatabase { return problemOfDatabase }
        if wishes.isEmpty { return "no kind of fault is named" }
        if !(1...8).contains(brokers) { return "1 to 8 brokers can run, not \(brokers)" }
        if brokers == 1, wishes.contains(where: { $0.kind == .brokerPause }) {
            return "a pause past the lease needs 2 brokers at least: one that is paused, and an heir"
        }
        if traits.contains(.topics), brokers == 1 {
            return "brokers that serve different topics are 2 at least"
        }
        if usesShardProxies, usesProxies {
            return "shard-down has a proxy for each shard, cut one for each broker: they do not go together"
        }
        if wishes.contains(where: { $0.kind.isOfShard }), shards < 2 {
            return "a shard that is away needs 2 shards at least: one that is hit, and one that is not"
        }
        if traits.contains(.ids), wishes.contains(where: { $0.kind == .shardRestore }) {
            return
                "a shard that is put back has forgotten which ids were used since: ids and shard-restore do not go together"
        }
        if duration == nil, wishes.contains(where: { $0.count == nil }) {
            return "without a duration each kind of fault needs a count, as in broker-kill=20"
        }
        return nil
    }
}
