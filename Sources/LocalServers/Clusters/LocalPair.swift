package import Foundation
import Logging
import Synchronization

/// Two MariaDB servers on loopback, a primary and a replica, their data in a folder: a commit is acknowledged when the replica has it in
/// its relay log (semi-synchronous, AFTER_SYNC), however long that takes. Who is primary is decided outside, by `promote`.
package final class LocalPair: DatabaseCluster {
    package let name = "the MariaDB pair"
    package let nodes: [ClusterNode]
    private let servers: [LocalMariaDB]
    private let folder: URL
    private let primaryIndex = Mutex(0)
    /// At which port a node is followed: its own, or that of a proxy in front of it.
    private let sourcePorts = Mutex<[Int]>([])

    /// What this machine lacks, as a sentence; nil where all is there.
    package static var missing: String? {
        LocalServers.missing {
            _ = try LocalServers.program("mariadbd", "mysqld", package: "mariadb-server-core")
            _ = try LocalServers.program("mariadb", package: "mariadb-client-core")
            _ = try LocalServers.program("mariadb-dump", package: "mariadb-client")
        }
    }

    /// - Parameter options: further ones of mariadbd.
    package init(folder: URL, options: [String] = []) throws {
        if let missing = Self.missing { throw LocalServerError(missing) }
        self.folder = folder
        servers = try (1...2).map { number in
            try LocalMariaDB(
                dataDirectory: folder.appending(path: "node-\(number)"), options: Self.options(number) + options)
        }
        nodes = servers.enumerated().map { ClusterNode(number: $0 + 1, $1) }
    }

    private static func options(_ number: Int) -> [String] {
        [
            "--server-id=\(number)", "--log-bin=binlog", "--log-slave-updates", "--gtid-strict-mode=ON",
            "--binlog-format=ROW", "--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1",
            "--rpl-semi-sync-slave-enabled=ON", "--rpl-semi-sync-master-wait-point=AFTER_SYNC",
            // Without a time limit: or a commit is acknowledged that the replica has not.
            "--rpl-semi-sync-master-timeout=\(noLimit)", "--slave-net-timeout=5", "--relay-log=relay",
            "--relay-log-recovery=ON",
            // A node that comes back takes no writes before somebody says that it is to.
            "--read-only=1", "--skip-name-resolve",
        ]
    }

    /// Milliseconds: eleven days.
    private static let noLimit = 1_000_000_000

    /// Makes the pair, and returns when the replica follows.
    ///
    /// - Parameter sourcePorts: at which port each node is followed, in their order; empty: at its own.
    package func start(sourcePorts ports: [Int] = []) async throws {
        sourcePorts.withLock { $0 = ports.isEmpty ? nodes.map(\.port) : ports }
        try await servers[0].prepare()
        try await servers[1].prepare(copying: servers[0])
        for server in servers { try await server.start() }
        let (primary, replica) = (primary, replica)
        try await primary.run(
            ["SET GLOBAL read_only = 0"] + ClusterAccounts.statements + [
                "CREATE USER '\(ClusterAccounts.replica)'@'%' IDENTIFIED BY '\(ClusterAccounts.replicaPassword)'",
                "GRANT REPLICATION SLAVE ON *.* TO '\(ClusterAccounts.replica)'@'%'",
            ])
        try await follow(primary, with: replica)
        try await waitForReplica()
    }

    // MARK: State

    package var primary: ClusterNode { nodes[primaryIndex.withLock { $0 }] }
    package var replica: ClusterNode { nodes[1 - primaryIndex.withLock { $0 }] }

    package func writer() -> ClusterNode { primary }

    package func isWhole() async -> Bool {
        guard await primary.isWritable, await follows() else { return false }
        return await primary.status("Rpl_semi_sync_master_clients") == "1"
    }

    private func follows() async -> Bool {
        guard replica.isRunning else { return false }
        do {
            let status = try await replicaStatus(of: replica)
            return status?["Slave_IO_Running"] == "Yes" && status?["Slave_SQL_Running"] == "Yes"
        } catch {
            return false  // It does not answer.
        }
    }

    private func replicaStatus(of node: ClusterNode) async throws -> DBARow? {
        try await node.run("SHOW SLAVE STATUS", within: .seconds(5)).first
    }

    // MARK: Acts

    /// Applies all that the replica has received, then it takes the writes. That the primary takes none any more is somebody else's to see to.
    package func promote() async throws {
        let new = replica
        try await new.run("STOP SLAVE IO_THREAD")
        try await eventually("\(new) has applied its relay log", within: .seconds(60)) {
            let state = try await replicaStatus(of: new)?["Slave_SQL_Running_State"] ?? ""
            return state.contains("waiting for more updates") || state.contains("has read all relay log")
        }
        try await new.run("STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = 0")
        primaryIndex.withLock { $0 = 1 - $0 }
    }

    package func switchWriter() async throws {
        let old = primary
        // Nobody is in the middle of a write when it stops to take them.
        try await old.run("FLUSH TABLES WITH READ LOCK", "SET GLOBAL read_only = 1", "UNLOCK TABLES")
        let position = try await old.value(of: "SELECT @@gtid_binlog_pos") ?? ""
        try await replica.run("SELECT MASTER_GTID_WAIT('\(position)', 20)", within: .seconds(30))
        try await promote()
        try await rejoin(old)
    }

    package func restart(_ node: ClusterNode) async throws {
        try await node.database.start(within: .seconds(60))
        try await rejoin(node)
    }

    /// The old primary as a replica; copied anew where it has what the new one has not.
    package func rejoin(_ node: ClusterNode) async throws {
        guard node !== primary else { return }
        let status = try await replicaStatus(of: node)
        if status == nil {
            // It was the primary: what it has written itself counts as received.
            try await node.run("SET GLOBAL read_only = 1")
            let position = try await node.value(of: "SELECT @@gtid_current_pos") ?? ""
            try await node.run("SET GLOBAL gtid_slave_pos = '\(position)'")
        }
        try await follow(primary, with: node)
        do {
            try await eventually("\(node) follows", within: .seconds(6)) { await follows() }
        } catch is LocalServerError {
            try await copyAnew(node)
        }
        try await waitForReplica()
    }

    /// The node's data are replaced by the primary's: what it has that nobody else has is gone.
    package func copyAnew(_ node: ClusterNode) async throws {
        // Whoever waits in it for a replica's answer would be told that it is done.
        await node.kill()
        try await node.database.start(within: .seconds(60))
        try await node.run("STOP SLAVE", "RESET SLAVE ALL", "RESET MASTER", "SET GLOBAL read_only = 1")
        let client = try LocalServers.program("mariadb", package: "mariadb-client-core")
        let dump = try LocalServers.program("mariadb-dump", package: "mariadb-client")
        let source = servers[primary.number - 1]
        let script = """
            set -o pipefail
            '\(dump)' --no-defaults --socket='\(source.socket)' --user=root --all-databases --single-transaction \
            --master-data=1 --gtid --add-drop-database | '\(client)' --no-defaults --socket='\(node.database.socket)' --user=root
            """
        try await LocalProgram.run(
            ["/bin/bash", "-c", script], log: folder.appending(path: "copies.log"),
            environment: ProcessInfo.processInfo.environment, within: .seconds(120))
        // It has come over the binary log's back, and belongs to the other server.
        try await node.run("RESET MASTER", "FLUSH PRIVILEGES")
        try await follow(primary, with: node)
        try await waitForReplica()
    }

    private func follow(_ source: ClusterNode, with node: ClusterNode) async throws {
        let port = sourcePorts.withLock { $0[source.number - 1] }
        try await node.run(
            "STOP SLAVE", "SET GLOBAL read_only = 1", "SET GLOBAL rpl_semi_sync_master_enabled = OFF",
            """
            CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = \(port), MASTER_USER = '\(ClusterAccounts.replica)', \
            MASTER_PASSWORD = '\(ClusterAccounts.replicaPassword)', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1
            """, "START SLAVE")
    }

    /// Commits wait for the replica from then on. A primary without one would wait for ever.
    private func waitForReplica() async throws {
        let (primary, replica) = (primary, replica)
        try await eventually("\(replica) follows", within: .seconds(30)) { await follows() }
        let position = try await primary.value(of: "SELECT @@gtid_binlog_pos") ?? ""
        try await replica.run("SELECT MASTER_GTID_WAIT('\(position)', 30)", within: .seconds(40))
        try await primary.run(
            "SET GLOBAL rpl_semi_sync_master_timeout = \(Self.noLimit)", "SET GLOBAL rpl_semi_sync_master_enabled = ON")
        try await awaitWhole(within: .seconds(30))
    }

    package func isolate(_ node: ClusterNode) throws {
        throw LocalServerError("a pair has nobody who decides when its two cannot hear each other")
    }

    package func heal(_ node: ClusterNode) {}

    // MARK: What goes wrong in pairs

    /// From now on the primary acknowledges what no replica has, after waiting so long: as the servers' defaults have it.
    package func setLimitOfWaiting(_ limit: Duration) async throws {
        try await primary.run("SET GLOBAL rpl_semi_sync_master_timeout = \(Int(limit / .milliseconds(1)))")
    }

    /// The replica receives, and applies nothing until it is told to.
    package func setReplicaApplies(_ applies: Bool) async throws {
        try await replica.run("\(applies ? "START" : "STOP") SLAVE SQL_THREAD")
    }
}
