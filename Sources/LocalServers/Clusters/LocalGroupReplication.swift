package import Foundation
import Logging
import Synchronization

/// Three MySQL servers in a replication group on loopback, their data in a folder: one of them, the primary, takes the writes; the group
/// decides which.
package final class LocalGroupReplication: DatabaseCluster {
    /// How patient the group is.
    package struct Patience: Sendable, Hashable {
        /// How long a member that does not see most of the others waits before it leaves the group and takes no writes. The
        /// servers' own default is for ever: until then what it was asked to commit hangs.
        package var unreachableMajority: Duration = .seconds(10)
        /// How long the others wait before they expel a member that says nothing, after the 5 s in which they come to suspect it; the servers'
        /// own default is 5 s.
        package var memberExpel: Duration = .seconds(5)

        package init() {}
    }

    package let name = "group replication"
    package let nodes: [ClusterNode]
    /// At which each node listens for the others, in their order.
    package let groupPorts: [Int]
    private let servers: [LocalMySQL]
    private let routes = Mutex<[[Int: Int]]>([])
    /// What the nodes are cut off with; nil: that cannot be done.
    private let partition = Mutex<(@Sendable (_ node: Int, _ isCut: Bool) -> Void)?>(nil)

    /// What this machine lacks, as a sentence; nil where all is there.
    package static var missing: String? {
        LocalMySQL.root == nil
            ? "KITEQ_MYSQL_ROOT does not say where an unpacked MySQL is (scripts/mysql.sh)" : nil
    }

    /// - Parameter options: further ones of mysqld.
    package init(folder: URL, patience: Patience = Patience(), options: [String] = []) throws {
        guard let root = LocalMySQL.root else { throw LocalServerError(Self.missing ?? "") }
        let ports = try (0..<3).map { _ in try LocalServers.freePort() }
        groupPorts = ports
        servers = try ports.indices.map { index in
            try LocalMySQL(
                root: root, dataDirectory: folder.appending(path: "node-\(index + 1)"),
                options: Self.options(index, ports, patience) + options)
        }
        nodes = servers.enumerated().map { ClusterNode(number: $0 + 1, $1) }
    }

    private static func options(_ index: Int, _ ports: [Int], _ patience: Patience) -> [String] {
        [
            "--server-id=\(index + 1)", "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--log-bin=binlog",
            "--report-host=127.0.0.1", "--skip-name-resolve", "--plugin-load-add=group_replication.so",
            "--loose-group-replication-group-name=6b697465-7100-4000-8000-000000000001",
            "--loose-group-replication-start-on-boot=OFF",
            "--loose-group-replication-local-address=127.0.0.1:\(ports[index])",
            "--loose-group-replication-group-seeds=" + ports.map { "127.0.0.1:\($0)" }.joined(separator: ","),
            "--loose-group-replication-ip-allowlist=127.0.0.0/8",
            "--loose-group-replication-recovery-get-public-key=ON",
            "--loose-group-replication-unreachable-majority-timeout=\(patience.unreachableMajority.components.seconds)",
            "--loose-group-replication-member-expel-timeout=\(patience.memberExpel.components.seconds)",
            "--sql-require-primary-key=ON",
            // A member that comes back has to catch up with what the others go on to commit, all on one disk. What is handed to the
            // system outlives the server's process.
            "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=2", "--replica-parallel-workers=16",
            // Or a node that runs and is not in the group yet takes writes that the group never sees.
            "--super-read-only=ON",
        ]
    }

    /// Makes the group, and returns when every node is a member.
    ///
    /// - Parameters:
    ///   - routes: for each node, in their order, where its connections to ports of the others go instead; empty: straight there.
    ///   - partition: what is told to cut a node off, by its number, and to heal that.
    package func start(
        routes: [[Int: Int]] = [], partition: (@Sendable (_ node: Int, _ isCut: Bool) -> Void)? = nil
    ) async throws {
        self.routes.withLock { $0 = routes }
        self.partition.withLock { $0 = partition }
        try await servers[0].prepare()
        for server in servers.dropFirst() { try await server.prepare(copying: servers[0]) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for node in nodes {
                tasks.addTask {
                    try await self.startServer(node)
                    try await self.makeReplica(node)
                }
            }
            try await tasks.waitForAll()
        }
        try await nodes[0].run(
            "SET GLOBAL group_replication_bootstrap_group = ON", "START GROUP_REPLICATION",
            "SET GLOBAL group_replication_bootstrap_group = OFF", within: .seconds(90))
        for node in nodes.dropFirst() { try await join(node) }
        try await nodes[0].run(ClusterAccounts.statements)
        try await awaitWhole()
    }

    private func startServer(_ node: ClusterNode) async throws {
        let routes = routes.withLock { $0 }
        let environment = routes.isEmpty ? [:] : try ReroutedConnections.environment(routes[node.number - 1])
        try await node.database.start(with: [], environment: environment, within: .seconds(120))
    }

    /// How it catches up with the others before it is a member. Not in its binary log: that begins with the group's.
    private func makeReplica(_ node: ClusterNode) async throws {
        let (user, password) = (ClusterAccounts.replica, ClusterAccounts.replicaPassword)
        try await node.run(
            "SET GLOBAL super_read_only = 0", "SET GLOBAL read_only = 0", "SET SQL_LOG_BIN = 0",
            "CREATE USER '\(user)'@'%' IDENTIFIED BY '\(password)'",
            "GRANT REPLICATION SLAVE, CONNECTION_ADMIN, BACKUP_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO '\(user)'@'%'",
            "SET SQL_LOG_BIN = 1",
            """
            CHANGE REPLICATION SOURCE TO SOURCE_USER = '\(user)', SOURCE_PASSWORD = '\(password)' \
            FOR CHANNEL 'group_replication_recovery'
            """, "SET GLOBAL super_read_only = 1")
    }

    // MARK: State

    /// What a member says of all: its port, state and role. Empty where it says nothing.
    private func view(of node: ClusterNode) async -> [DBARow] {
        guard node.isRunning else { return [] }
        do {
            return try await node.run(
                "SELECT MEMBER_PORT, MEMBER_STATE, MEMBER_ROLE FROM performance_schema.replication_group_members",
                within: .seconds(3))
        } catch {
            return []
        }
    }

    private func state(of node: ClusterNode) async -> String? {
        await view(of: node).first { $0[0] == "\(node.port)" }?[1] ?? nil
    }

    /// The one that the most members name: one that names itself may be out of date.
    package func writer() async throws -> ClusterNode {
        var votes: [String: Int] = [:]
        for node in nodes {
            for row in await view(of: node) where row[1] == "ONLINE" && row[2] == "PRIMARY" {
                votes[row[0] ?? "", default: 0] += 1
            }
        }
        let port = votes.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
        guard let node = nodes.first(where: { "\($0.port)" == port }) else {
            throw LocalServerError("no member of the group is its primary")
        }
        return node
    }

    package func isWhole() async -> Bool {
        for node in nodes {
            guard await view(of: node).count(where: { $0[1] == "ONLINE" }) == nodes.count else { return false }
        }
        return true
    }

    // MARK: Acts

    package func promote() {}

    package func switchWriter() async throws {
        let old = try await writer()
        guard let new = nodes.first(where: { $0 !== old && $0.isRunning }) else { return }
        try await new.run("SELECT group_replication_set_as_primary(@@server_uuid)", within: .seconds(90))
    }

    package func restart(_ node: ClusterNode) async throws {
        try await startServer(node)
        try await join(node)
    }

    /// It comes back by itself, or is told to.
    package func rejoin(_ node: ClusterNode) async throws {
        do {
            try await awaitWhole(within: .seconds(20))
        } catch is LocalServerError {
            try await join(node)
        }
    }

    private func join(_ node: ClusterNode) async throws {
        try await eventually("\(node) is a member", within: .seconds(600), every: .milliseconds(300)) {
            switch await state(of: node) {
            case "ONLINE": return true
            case nil, "OFFLINE", "ERROR":
                do {
                    try await node.run("STOP GROUP_REPLICATION", within: .seconds(60))
                } catch is DBAError {
                    // It is not running: what comes next says whether it can.
                }
                try await node.run("START GROUP_REPLICATION", within: .seconds(90))
                return false
            default: return false
            }
        }
    }

    package func isolate(_ node: ClusterNode) throws { try setCut(true, node) }
    package func heal(_ node: ClusterNode) throws { try setCut(false, node) }

    private func setCut(_ isCut: Bool, _ node: ClusterNode) throws {
        guard let partition = partition.withLock({ $0 }) else {
            throw LocalServerError("nothing stands between the members of this group that could cut one off")
        }
        partition(node.number, isCut)
    }
}
