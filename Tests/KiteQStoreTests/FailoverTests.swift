import KiteQCore
import LocalServers
import MariaDB
import TestSupport
import Testing

@testable import KiteQStore

/// Two servers behind one address, which leads to the one or the other: what a proxy or a DNS entry in front of a primary does.
@Suite(.timeLimit(.minutes(2))) struct FailoverTests {
    @Test func aChangeOfTheServerClosesAllConnectionsToTheOld() async throws {
        let servers = try (0..<2).map { _ in
            try LocalMariaDB(dataDirectory: try LocalServers.temporaryFolder("mariadb"))
        }
        for server in servers { try await server.start() }
        let ports = servers.map(\.port)
        let proxy = CuttingProxy(server: ports[0])
        let name = "app"
        let roots = ports.map { port in
            MariaDBPool(
                MariaDBConfiguration(servers: [.tcp(host: "127.0.0.1", port: port)], user: "root", password: ""),
                logger: quiet)
        }
        var database = MariaDBConfiguration(
            servers: [.tcp(host: "127.0.0.1", port: try await proxy.start())], user: name, password: "x", database: name
        )
        database.connectTimeout = .seconds(1)
        var limits = MariaDBPoolConfiguration()
        limits.maxConnections = 4
        limits.maxBackoff = .milliseconds(200)
        try await running(roots[0]) { _ in
            try await running(roots[1]) { _ in
                for root in roots {
                    try await root.withConnection { connection in
                        try connection.simple("CREATE DATABASE \(name)")
                        try connection.simple("CREATE TABLE \(name).t (id INT PRIMARY KEY) ENGINE=InnoDB")
                        try connection.simple("CREATE USER \(name) IDENTIFIED BY 'x'")
                        try connection.simple("GRANT ALL ON \(name).* TO \(name)")
                    }
                }
                try await running(MariaDBPool(database, pool: limits, logger: quiet)) { pool in
                    try await fill(pool)
                    // The old primary hands over. It is alive, and so are the connections to it: only a write tells.
                    try await roots[0].withConnection { try $0.simple("SET GLOBAL read_only = 1") }
                    proxy.lead(to: ports[1])
                    try await eventually {
                        do {
                            try await pool.withConnection { try $0.simple("INSERT INTO t VALUES (1)") }
                            return true
                        } catch let error as MariaDBError where error.isReadOnly {
                            return false
                        }
                    }
                    try await eventually { try await sessions(of: name, on: roots[0]) == 0 }
                    for _ in 0..<8 { #expect(try await port(pool) == Int64(ports[1])) }

                    // It is led back, and nothing is refused meanwhile: one new connection is what tells.
                    try await fill(pool)
                    try await roots[0].withConnection { try $0.simple("SET GLOBAL read_only = 0") }
                    proxy.lead(to: ports[0])
                    await #expect(throws: MariaDBError.self) {
                        try await pool.withConnection { try $0.simple("KILL CONNECTION_ID()") }
                    }
                    // As many callers as there may be connections have a new one made.
                    try await fill(pool)
                    try await eventually { try await sessions(of: name, on: roots[1]) == 0 }
                    for _ in 0..<8 { #expect(try await port(pool) == Int64(ports[0])) }
                }
            }
        }
        try await proxy.stop()
        for server in servers { await server.stop() }
    }

    /// Has as many connections open as there may be.
    private func fill(_ pool: MariaDBPool) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<4 { tasks.addTask { try await pool.withConnection { _ = try $0.query("SELECT SLEEP(0.3)") } } }
            try await tasks.waitForAll()
        }
    }

    private func port(_ pool: MariaDBPool) async throws -> Int64 {
        try await pool.withConnection { try $0.query("SELECT @@port")[0].int(0) }
    }

    private func sessions(of user: String, on root: MariaDBPool) async throws -> Int {
        try await root.withConnection { connection in
            try connection.simpleRows("SHOW PROCESSLIST").count { try $0.text(1) == user }
        }
    }
}
