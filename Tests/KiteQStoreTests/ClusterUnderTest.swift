import Foundation
import LocalServers
import MariaDB
import Testing

@testable import KiteQStore

/// Real clusters: Galera, and group replication of one member, which has its limits as a large group has.
enum ClusterUnderTest {
    static let hasGalera = LocalGalera.missing == nil

    /// Runs `body` with the nodes' ports.
    static func withGalera<Result: Sendable>(
        nodes: Int, options: [String] = [], _ body: ([Int]) async throws -> Result
    ) async throws -> Result {
        let cluster = try LocalGalera(
            nodes: nodes, folder: try LocalServers.temporaryFolder("galera"), options: options)
        try await cluster.start(makesAccounts: false)
        let ports = cluster.servers.map(\.port)
        for port in ports {
            try await onServer(port) { root in
                try await eventually {
                    try await root.value("SHOW GLOBAL STATUS LIKE 'wsrep_local_state_comment'") == "Synced"
                }
            }
        }
        let result = try await body(ports)
        await cluster.stop()
        return result
    }

    /// Runs `body` with the server's port.
    static func withGroupReplication<Result: Sendable>(
        options: [String] = [], _ body: (Int) async throws -> Result
    ) async throws -> Result {
        let group = try LocalServers.freePort()
        let server = try LocalMySQL(
            root: try #require(LocalMySQL.root), dataDirectory: try LocalServers.temporaryFolder("group"),
            options: [
                "--server-id=1", "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--max-allowed-packet=64M",
                "--plugin-load-add=group_replication.so",
                "--loose-group-replication-group-name=aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
                "--loose-group-replication-start-on-boot=OFF",
                "--loose-group-replication-local-address=127.0.0.1:\(group)",
                "--loose-group-replication-group-seeds=127.0.0.1:\(group)",
            ] + options)
        try await server.start()
        try await onServer(server.port) { root in
            try await root.run("SET GLOBAL group_replication_bootstrap_group = ON")
            try await root.run("START GROUP_REPLICATION")
            try await eventually {
                try await root.value("SELECT member_state FROM performance_schema.replication_group_members")
                    == "ONLINE"
            }
            try await eventually { try await root.value("SELECT @@global.super_read_only") == "0" }
        }
        let result = try await body(server.port)
        await server.stop()
        return result
    }

    // MARK: SQL

    /// The server's root.
    struct Root: Sendable {
        fileprivate let pool: MariaDBPool

        func run(_ sql: String) async throws { try await pool.withConnection { try $0.simple(sql) } }

        /// Of the last column of the first row.
        func value(_ sql: String) async throws -> String? {
            try await pool.withConnection { connection in
                guard let row = try connection.simpleRows(sql).first else { return nil }
                return String(decoding: try row.optionalBytes(row.values.count - 1) ?? [], as: UTF8.self)
            }
        }

        func values(_ sql: String) async throws -> [String] {
            try await pool.withConnection { try $0.simpleRows(sql).map { try $0.text(0) } }
        }
    }

    static func onServer<Result: Sendable>(
        _ port: Int, _ body: (Root) async throws -> Result
    ) async throws -> Result {
        var configuration = try MySQLStoreURL.configuration("mysql://root@127.0.0.1:\(port)/none?shards=1").shards[0]
        configuration.database = nil
        return try await running(MariaDBPool(configuration, logger: quiet)) { try await body(Root(pool: $0)) }
    }
}
