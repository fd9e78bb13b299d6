package import Foundation
package import Logging

/// A private Galera cluster of MariaDB servers on loopback ports, each of whose nodes takes writes; its user root has no password.
///
/// Nodes after the first get their data from one that is there (`wsrep_sst_rsync`). Each dies with this process.
package final class LocalGalera: Sendable {
    package let nodes: [LocalMariaDB]
    private let folder: URL
    private let logger: Logger

    /// The library, where Debian has it.
    private static let provider = "/usr/lib/galera/libgalera_smm.so"
    /// Who the servers run as where this process is root: rsync gives up root's rights, and then finds no access.
    private static let user = "nobody"

    /// Whether this machine has what a cluster of so many nodes takes.
    package static func isAvailable(nodes: Int) -> Bool {
        guard access(provider, R_OK) == 0 else { return false }
        guard nodes > 1 else { return true }
        do {
            for program in ["wsrep_sst_rsync", "rsync"] {
                _ = try LocalServers.program(program, package: "mariadb-server")
            }
            return true
        } catch {
            return false  // It says what to install to whoever starts one all the same.
        }
    }

    /// - Parameters:
    ///   - folder: a folder in it for each node.
    ///   - options: further ones of mariadbd, for each node.
    package init(
        nodes count: Int, folder: URL, options: [String] = [], logger: Logger = Logger(label: "galera")
    ) throws {
        self.folder = folder
        self.logger = logger
        let ports = try (0..<count).map { _ in
            (
                sql: try LocalServers.freePort(), group: try LocalServers.freePort(), ist: try LocalServers.freePort(),
                sst: try LocalServers.freePort()
            )
        }
        let members = ports.map { "127.0.0.1:\($0.group)" }.joined(separator: ",")
        let name = "kiteq-\(getpid())-\(UInt32.random(in: .min ... .max))"
        nodes = try ports.enumerated().map { number, ports in
            let provider =
                "base_host=127.0.0.1;base_port=\(ports.group);gmcast.listen_addr=tcp://127.0.0.1:\(ports.group);"
                + "ist.recv_addr=127.0.0.1:\(ports.ist);gcache.size=32M"
            var all = [
                "--wsrep-on=ON", "--wsrep-provider=\(Self.provider)", "--wsrep-cluster-name=\(name)",
                "--wsrep-cluster-address=gcomm://\(members)", "--wsrep-node-address=127.0.0.1:\(ports.group)",
                "--wsrep-node-incoming-address=127.0.0.1:\(ports.sql)", "--wsrep-provider-options=\(provider)",
                "--wsrep-sst-method=rsync", "--wsrep-sst-receive-address=127.0.0.1:\(ports.sst)",
                "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--innodb-buffer-pool-size=64M",
                "--server-id=\(number + 1)",
            ]
            if number == 0 { all.append("--wsrep-new-cluster") }
            if geteuid() == 0 { all.append("--user=\(Self.user)") }
            return try LocalMariaDB(
                dataDirectory: folder.appending(path: "node\(number)"), port: ports.sql, options: all + options,
                logger: logger)
        }
    }

    /// Starts the nodes one after the other; each has the data of the others when it returns.
    /// - Throws: `LocalServerError`
    package func start(within limit: Duration = .seconds(120)) async throws {
        for (number, node) in nodes.enumerated() {
            try await node.prepare()
            if geteuid() == 0 {
                try await LocalProgram.run(
                    ["/bin/chown", "-R", Self.user, folder.appending(path: "node\(number)").path],
                    log: folder.appending(path: "chown.log"), environment: [:], within: .seconds(60), logger: logger)
            }
            // It takes connections when it has its data, and not before.
            try await node.start(within: limit)
        }
    }

    package func stop() async {
        for node in nodes.reversed() { await node.stop() }
    }
}
