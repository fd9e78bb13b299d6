/// What the harness does to the servers.
package enum FaultKind: String, Sendable, Hashable, CaseIterable {
    /// SIGKILL of one broker, and a new start.
    case brokerKill = "broker-kill"
    /// SIGTERM of one broker, and a new start: it must leave without a loss or a repetition.
    case brokerStop = "broker-stop"
    /// SIGSTOP of one broker for longer than its lease, then SIGCONT: it comes back and finds itself fenced.
    case brokerPause = "broker-pause"
    /// SIGKILL of the database server, and a new start on the same data.
    case databaseKill = "mysql-kill"
    /// SIGKILL of the database server, and while it is away of one broker; both start again at the same time.
    case bothKill = "both-kill"
    case zooKeeperKill = "zookeeper-kill"
    /// One broker's connections to the database are closed, and no new one is taken for a while.
    case databaseCut = "mysql-cut"
    /// One broker's packets to and from the database vanish for a while.
    case databaseSilence = "mysql-silence"
    /// One broker's connections to ZooKeeper are closed, and no new one is taken for a while.
    case zooKeeperCut = "zookeeper-cut"
    /// One broker kills itself at a named point of a message's way (`CrashPoint`), and is started again.
    case crashPoint = "crash-points"
    /// A second process is started under one broker's name while that one serves: it must end, and nobody else.
    case nameTwice = "name-twice"
    /// The clock of one broker's machine is set wrong by minutes to weeks, and stays so; or is set right.
    case clockWrong = "clock-wrong"
    /// One shard's tables are locked against writing, or against reading as well, for a while.
    case shardLock = "shard-lock"
    /// All brokers' connections to one shard are closed, and no new one is taken for a while.
    case shardDown = "shard-down"
    /// One shard is put back to what it was some seconds before, while the brokers go on.
    case shardRestore = "shard-restore"

    // Of the node of a cluster that takes the writes.
    /// SIGKILL of it, the failover, and a new start.
    case writerKill = "writer-kill"
    /// SIGTERM of it, the failover, and a new start.
    case writerStop = "writer-stop"
    /// SIGSTOP of it for 20 s, the failover meanwhile, then SIGCONT.
    case writerPause = "writer-pause"
    /// It is cut off from the other nodes for 25 s; clients reach all of them.
    case writerPartition = "writer-partition"
    /// Another node takes the writes, as planned.
    case switchWriter = "switch"
    /// All nodes are stopped and started, one after the other.
    case rollingRestart = "rolling-restart"
    /// It takes no writes for 10 s, and stays what it is.
    case readOnly = "read-only"
    /// SIGKILL of it while the replica has not applied what it has received; that is applied 3 s later, then the replica takes the writes.
    case staleReplica = "stale-replica"
    /// It is paused, and goes on, writable, after another node has taken the writes; then a broker is restarted.
    case twoWritable = "two-writable"
    /// SIGKILL of it and of one broker at once.
    case rack

    /// Reads a name; `cut` stands for the three of the proxy.
    package static func named(_ name: some StringProtocol) -> [FaultKind]? {
        if name == "cut" { return [.databaseCut, .databaseSilence, .zooKeeperCut] }
        return FaultKind(rawValue: String(name)).map { [$0] }
    }

    /// Whether it is of the writer of a cluster.
    package var isOfCluster: Bool {
        switch self {
        case .writerKill, .writerStop, .writerPause, .writerPartition, .switchWriter, .rollingRestart: true
        case .readOnly, .staleReplica, .twoWritable, .rack: true
        default: false
        }
    }
    /// Whether it is done to the one server, or between that and the brokers.
    package var needsOneServer: Bool {
        switch self {
        case .databaseKill, .bothKill, .databaseCut, .databaseSilence, .shardLock, .shardDown, .shardRestore: true
        default: false
        }
    }
    /// Whether it is of one shard alone.
    package var isOfShard: Bool { self == .shardLock || self == .shardDown || self == .shardRestore }
    package var needsZooKeeper: Bool { self == .zooKeeperKill || self == .zooKeeperCut }
    package var needsProxy: Bool { self == .databaseCut || self == .databaseSilence || self == .zooKeeperCut }

    /// Whether the broker that it hits forgets what it has not written.
    package var losesMemory: Bool { self == .brokerKill || self == .brokerPause || self == .crashPoint }

    /// Whether a delivery may come twice because of it. ZooKeeper only helps to find each other, and a broker that stops in
    /// order finishes what is in flight: neither excuses a duplicate.
    package var excusesDuplicates: Bool {
        switch self {
        case .brokerKill, .brokerPause, .databaseKill, .bothKill, .databaseCut, .databaseSilence, .crashPoint: true
        case .shardLock, .shardDown, .shardRestore: true
        // Brokers lose their connections, and find the new writer at different times.
        case .writerKill, .writerStop, .writerPause, .writerPartition, .switchWriter, .rollingRestart: true
        case .readOnly, .staleReplica, .twoWritable, .rack: true
        case .brokerStop, .zooKeeperKill, .zooKeeperCut, .nameTwice, .clockWrong: false
        }
    }
}
