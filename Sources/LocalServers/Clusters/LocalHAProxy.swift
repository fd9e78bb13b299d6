package import Foundation
package import Logging

/// HAProxy on a loopback port in front of a cluster's nodes. Every second it looks whether a node should get the writes, with a script of
/// its own that asks the node.
package final class LocalHAProxy: Sendable {
    package enum Balance: String, Sendable, Hashable, CaseIterable {
        /// All connections go to one node until that is down, and stay with the next one when it is back.
        case first
        /// Each connection goes to the node with the fewest. Not what a broker wants: its connections are to several writers.
        case leastConnections = "leastconn"
    }

    /// What makes a node one that should get the writes.
    package enum Check: Sendable, Hashable {
        case galera
        /// It is not read-only.
        case writable

        /// A statement, and how many lines of its answer have to be what is wanted.
        fileprivate var question: (sql: String, wanted: String, lines: Int) {
            switch self {
            case .galera:
                (
                    "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_local_state_comment'); SELECT 'read_only', @@global.read_only",
                    "^wsrep_ready\tON$|^wsrep_local_state_comment\tSynced$|^read_only\t0$", 3
                )
            case .writable: ("SELECT 'read_only', @@global.read_only", "^read_only\t0$", 1)
            }
        }
    }

    package let port: Int
    private let ports: [Int]
    private let check: Check
    private let balance: Balance
    private let folder: URL
    private let process: ServerProcess

    /// What this machine lacks, as a sentence; nil where all is there.
    package static var missing: String? {
        LocalServers.missing {
            _ = try LocalServers.program("haproxy", package: "haproxy")
            _ = try LocalServers.program("mariadb", package: "mariadb-client-core")
        }
    }

    /// - Parameters:
    ///   - folder: made where it is missing.
    ///   - nodes: in their order.
    package init(
        folder: URL, nodes: [ClusterNode], check: Check, balance: Balance, logger: Logger = Logger(label: "haproxy")
    ) throws {
        if let missing = Self.missing { throw LocalServerError(missing) }
        port = try LocalServers.freePort()
        ports = nodes.map(\.port)
        self.folder = folder
        self.check = check
        self.balance = balance
        process = ServerProcess(name: "HAProxy", log: folder.appending(path: "haproxy.log").path, logger: logger)
    }

    package func url(user: String, password: String, shards: Int) -> String {
        ClusterAccounts.url(user: user, password: password, ports: [port], shards: shards)
    }

    /// Starts it, and returns when a node answers through it.
    package func start(within limit: Duration = .seconds(30)) async throws {
        let program = try LocalServers.program("haproxy", package: "haproxy")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let script = folder.appending(path: "check.sh")
        try checkScript.write(to: script, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.path)
        let file = folder.appending(path: "haproxy.cfg")
        try configuration(check: script.path).write(to: file, atomically: true, encoding: .utf8)
        try await process.start([program, "-db", "-f", file.path], within: limit) {
            await DatabaseFolder.answers(port: port)
        }
    }

    package func stop(within limit: Duration = .seconds(10)) async { await process.stop(within: limit) }

    /// HAProxy gives a node's address and port as the third and fourth argument.
    private var checkScript: String {
        get throws {
            let (sql, wanted, lines) = check.question
            let client = try LocalServers.program("mariadb", package: "mariadb-client-core")
            return """
                #!/bin/sh
                count=$(timeout 2 '\(client)' --no-defaults --connect-timeout=2 --host="$3" --port="$4" \
                --user=\(ClusterAccounts.health) --batch --skip-column-names --execute="\(sql)" \
                | grep -cE '\(wanted)')
                [ "$count" = \(lines) ]

                """
        }
    }

    private func configuration(check script: String) -> String {
        let rule =
            switch balance {
            // The table has room for one entry, which says where all go.
            case .first: "    balance first\n    stick-table type ip size 1\n    stick on dst\n"
            case .leastConnections: "    balance leastconn\n"
            }
        let servers = ports.enumerated().map { index, port in
            "    server node-\(index + 1) 127.0.0.1:\(port) check inter 1s fall 2 rise 1 on-marked-down shutdown-sessions\n"
        }.joined()
        return """
            global
                maxconn 2000
                external-check
                insecure-fork-wanted
            defaults
                mode tcp
                timeout connect 2s
                timeout client 1h
                timeout server 1h
                timeout check 3s
            frontend database
                bind 127.0.0.1:\(port)
                default_backend nodes
            backend nodes
                option external-check
                external-check path "/usr/bin:/bin"
                external-check command \(script)

            """ + rule + servers
    }
}
