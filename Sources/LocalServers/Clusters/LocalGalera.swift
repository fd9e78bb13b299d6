package import Foundation
import Logging

/// MariaDB servers with Galera on loopback, their data in a folder: any of them takes writes, and brokers write to one.
package final class LocalGalera: DatabaseCluster {
    package let name = "Galera"
    package let nodes: [ClusterNode]
    package let servers: [LocalMariaDB]
    private let folder: URL

    /// A copy of a whole node (SST) goes over rsync, which gives up its rights where it is root's and finds no access then: so the
    /// servers are not root's. Their folder must be one that others can reach.
    private static let account = "nobody"
    private static let library = "/usr/lib/galera/libgalera_smm.so"
    private static let scripts = ["wsrep_sst_rsync", "wsrep_sst_common"]

    /// What this machine lacks, as a sentence; nil where all is there.
    package static var missing: String? {
        LocalServers.missing {
            _ = try LocalServers.program("mariadbd", "mysqld", package: "mariadb-server-core")
            _ = try LocalServers.program("rsync", package: "rsync")
            // What tells the script whether rsync listens.
            _ = try LocalServers.program("ss", "lsof", package: "iproute2")
            for script in scripts { _ = try sstScript(script) }
            guard access(library, R_OK) == 0 else {
                throw LocalServerError("\(library) is missing: install the package galera-4")
            }
        }
    }

    private static func sstScript(_ name: String) throws -> String {
        do {
            return try LocalServers.program(name, package: "mariadb-server")
        } catch {
            throw LocalServerError(
                "\(name) is not in PATH: scripts/setup.sh --clusters takes it out of the package mariadb-server")
        }
    }

    /// - Parameters:
    ///   - count: nodes.
    ///   - options: further ones of mariadbd.
    package init(nodes count: Int = 3, folder: URL, options: [String] = []) throws {
        if let missing = Self.missing { throw LocalServerError(missing) }
        self.folder = folder
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = folder.path + "/bin:" + (environment["PATH"] ?? "") + ":/usr/sbin:/usr/bin:/sbin:/bin"
        // The servers' own, since the account may not be let into this process's.
        environment["HOME"] = folder.path
        let groupPorts = try (0..<count).map { _ in try LocalServers.freePort() }
        servers = try groupPorts.indices.map { index in
            let port = try LocalServers.freePort()
            return try LocalMariaDB(
                dataDirectory: folder.appending(path: "node-\(index + 1)"), port: port,
                options: Self.options(index, port: port, groupPorts: groupPorts) + options, account: Self.account,
                environment: environment)
        }
        nodes = servers.enumerated().map { ClusterNode(number: $0 + 1, $1) }
    }

    private static func options(_ index: Int, port: Int, groupPorts: [Int]) throws -> [String] {
        let (own, copies, transfers) = (groupPorts[index], try LocalServers.freePort(), try LocalServers.freePort())
        let address = "127.0.0.1:\(own)"
        return [
            "--wsrep-on=ON", "--wsrep-provider=\(library)", "--wsrep-cluster-name=kiteq-\(groupPorts[0])",
            "--wsrep-cluster-address=gcomm://" + groupPorts.map { "127.0.0.1:\($0)" }.joined(separator: ","),
            "--wsrep-node-name=node-\(index + 1)", "--wsrep-node-address=\(address)",
            "--wsrep-node-incoming-address=127.0.0.1:\(port)",
            "--wsrep-provider-options=base_host=127.0.0.1;base_port=\(own);gmcast.listen_addr=tcp://\(address);"
                + "ist.recv_addr=127.0.0.1:\(transfers);gcache.size=64M",
            "--wsrep-sst-method=rsync", "--wsrep-sst-receive-address=127.0.0.1:\(copies)", "--wsrep-slave-threads=2",
            "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--innodb-flush-log-at-trx-commit=1",
            "--server-id=\(index + 1)", "--skip-name-resolve",
        ]
    }

    /// Makes the cluster, and returns when every node is in step.
    /// - Parameter makesAccounts: whether brokers' users are made, too.
    package func start(makesAccounts: Bool = true) async throws {
        let bin = folder.appending(path: "bin")
        try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
        for script in Self.scripts {
            let copy = bin.appending(path: script)
            if !FileManager.default.fileExists(atPath: copy.path) {
                try FileManager.default.copyItem(atPath: try Self.sstScript(script), toPath: copy.path)
            }
        }
        try await servers[0].prepare()
        for server in servers.dropFirst() { try await server.prepare(copying: servers[0]) }
        try await servers[0].start(with: ["--wsrep-new-cluster"])
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for server in servers.dropFirst() { tasks.addTask { try await server.start(within: .seconds(300)) } }
            try await tasks.waitForAll()
        }
        try await awaitWhole()
        if makesAccounts { try await nodes[0].run(ClusterAccounts.statements) }
    }

    // MARK: State

    /// Whether it serves: with most of the cluster, and in step.
    package func isReady(_ node: ClusterNode) async -> Bool {
        guard await node.status("wsrep_ready") == "ON" else { return false }
        return await node.status("wsrep_local_state_comment") == "Synced"
    }

    package func isWhole() async -> Bool {
        for node in nodes {
            guard await isReady(node), await node.status("wsrep_cluster_size") == "\(nodes.count)" else { return false }
        }
        return true
    }

    /// The ready node that most of the brokers' connections are to; before there are any, the first.
    package func writer() async throws -> ClusterNode {
        var best: (node: ClusterNode, connections: Int)?
        for node in nodes where await isReady(node) {
            let connections = await brokerConnections(to: node)
            if connections > best?.connections ?? -1 { best = (node, connections) }
        }
        guard let best else { throw LocalServerError("no node of the cluster serves") }
        return best.node
    }

    private func brokerConnections(to node: ClusterNode) async -> Int {
        let sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = '\(ClusterAccounts.broker)'"
        do {
            return try await node.value(of: sql).flatMap { Int($0) } ?? 0
        } catch {
            return 0  // It has gone since it was asked whether it serves.
        }
    }

    // MARK: Acts

    package func promote() {}

    package func switchWriter() throws {
        throw LocalServerError("Galera has no writer of its own that could be switched")
    }

    /// As galera_recovery does it: with the position that InnoDB has, so that what is missing comes without a whole copy.
    package func restart(_ node: ClusterNode) async throws {
        let server = servers[node.number - 1]
        let position = try await recoveredPosition(of: server)
        try await server.start(with: position.map { ["--wsrep-start-position=\($0)"] } ?? [], within: .seconds(300))
        try await eventually("\(node) is in step", within: .seconds(300)) { await isReady(node) }
    }

    /// Nil where the node was stopped in order, and its state says the position.
    private func recoveredPosition(of server: LocalMariaDB) async throws -> String? {
        let state = try String(contentsOfFile: server.dataDirectory + "/grastate.dat", encoding: .utf8)
        guard state.contains("seqno:   -1") else { return nil }
        let log = folder.appending(path: "recovery-\(UUID().uuidString).log")
        // It writes with the server's rights.
        try Data().write(to: log)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: log.path)
        try await server.run(with: ["--wsrep-recover", "--log-error=\(log.path)"], within: .seconds(90))
        let text = try String(contentsOf: log, encoding: .utf8)
        guard let mark = text.range(of: "Recovered position", options: .backwards) else {
            throw LocalServerError("no position was recovered; \(log.path) says why")
        }
        // "Recovered position: UUID:NUMBER", and more where there are domains.
        return text[mark.upperBound...].split(whereSeparator: \.isWhitespace).first { $0.count > 1 }.map(String.init)
    }

    package func rejoin(_ node: ClusterNode) async throws {
        try await eventually("\(node) is in step", within: .seconds(300)) { await isReady(node) }
    }

    package func isolate(_ node: ClusterNode) async throws { try await setIsolated(true, node) }
    package func heal(_ node: ClusterNode) async throws { try await setIsolated(false, node) }

    private func setIsolated(_ isIsolated: Bool, _ node: ClusterNode) async throws {
        try await node.run("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=\(isIsolated ? 1 : 0)'")
    }
}
