import Foundation
import LocalServers
import Testing

@testable import MariaDB

/// Two servers, of which one takes writes: a primary and what a replica looks like to a client. One pair of each kind for all
/// of these tests, which change its settings and so run one after the other.
@Suite(.serialized, .timeLimit(.minutes(3))) struct FailoverTests {
    private struct Pair: Sendable {
        let ports: [Int]
        /// What keeps them running.
        let servers: [any Sendable]
    }

    private static let mariaDBs = Task {
        let servers = try (0..<2).map { _ in
            try LocalMariaDB(dataDirectory: try LocalServers.temporaryFolder("mariadb"))
        }
        for server in servers { try await server.start() }
        return Pair(ports: servers.map(\.port), servers: servers)
    }

    private static let mySQLs = Task {
        let root = try #require(LocalMySQL.root)
        let servers = try (0..<2).map { _ in
            try LocalMySQL(root: root, dataDirectory: try LocalServers.temporaryFolder("mysql"))
        }
        for server in servers { try await server.start() }
        return Pair(ports: servers.map(\.port), servers: servers)
    }

    /// Two servers that take writes, and what an administrator does with them.
    private struct Servers: Sendable {
        let ports: [Int]
        let roots: [MariaDBPool]

        func setReadOnly(_ isOn: Bool, on index: Int) async throws {
            try await roots[index].withConnection { try $0.simple("SET GLOBAL read_only = \(isOn ? 1 : 0)") }
        }

        /// Connections made to one of them since it started.
        func connections(of index: Int) async throws -> Int64 {
            try await roots[index].withConnection { db in
                try db.simpleRows("SHOW GLOBAL STATUS LIKE 'Connections'")[0].int(1)
            }
        }
    }

    /// Both have an empty table d.t, and a user that read_only holds for.
    private func withPair(_ kind: TestServer, _ body: @Sendable (Servers) async throws -> Void) async throws {
        let ports = try await (kind == .mariaDB ? Self.mariaDBs : Self.mySQLs).value.ports
        let roots = ports.map { port in
            MariaDBPool(
                MariaDBConfiguration(servers: [.tcp(host: "127.0.0.1", port: port)], user: "root", password: ""),
                logger: quiet)
        }
        let servers = Servers(ports: ports, roots: roots)
        try await running(roots[0]) { _ in
            try await running(roots[1]) { _ in
                for (index, root) in roots.enumerated() {
                    try await servers.setReadOnly(false, on: index)
                    try await root.withConnection { db in
                        try db.simple("DROP DATABASE IF EXISTS d")
                        try db.simple("CREATE DATABASE d")
                        try db.simple("CREATE TABLE d.t (id BIGINT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB")
                        try db.simple("CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY 'x'")
                        try db.simple("GRANT ALL ON d.* TO app@'%'")
                    }
                }
                try await body(servers)
            }
        }
    }

    private func pool(_ ports: [Int], user: String = "app") -> MariaDBPool {
        var configuration = MariaDBConfiguration(
            servers: ports.map { .tcp(host: "127.0.0.1", port: $0) }, user: user,
            password: user == "app" ? "x" : "", database: "d")
        configuration.connectTimeout = .seconds(1)
        configuration.readTimeout = .seconds(3_600)
        configuration.requiresWrites = true
        var limits = MariaDBPoolConfiguration()
        limits.maxConnections = 4
        limits.maxBackoff = .milliseconds(400)
        return MariaDBPool(configuration, pool: limits, logger: quiet)
    }

    /// - Returns: the port of the server that was written to.
    @discardableResult
    private func write(_ pool: MariaDBPool) async throws -> Int {
        try await pool.withConnection { db in
            try db.execute("INSERT INTO t VALUES ()")
            return Int(try db.query("SELECT @@port")[0].int(0))
        }
    }

    private func canWrite(_ pool: MariaDBPool) async throws -> Bool {
        do {
            try await write(pool)
            return true
        } catch let error as MariaDBError where error.isReadOnly {
            return false
        }
    }

    @Test("the server that takes writes is chosen, wherever it stands", arguments: TestServer.available)
    func choice(_ kind: TestServer) async throws {
        try await withPair(kind) { pair in
            try await pair.setReadOnly(true, on: 0)
            let chosen = try await running(pool(pair.ports)) { try await write($0) }
            #expect(chosen == pair.ports[1])
            // None takes writes: there is no connection, also not for a user who is above read_only.
            try await pair.setReadOnly(true, on: 1)
            for user in ["app", "root"] {
                try await running(pool(pair.ports, user: user)) { pool in
                    let error = await #expect(throws: MariaDBError.self) { try await write(pool) }
                    #expect(error?.isReadOnly == true && error?.isConnectionLost == false)
                    for port in pair.ports {
                        #expect(error?.message.contains("127.0.0.1:\(port) is read-only") == true)
                    }
                }
            }
            try await running(pool(pair.ports)) { pool in
                #expect(try await !canWrite(pool))
                // Until one does: whichever it is.
                try await pair.setReadOnly(false, on: 1)
                try await eventually { try await canWrite(pool) }
                #expect(try await write(pool) == pair.ports[1])
            }
        }
    }

    @Test("who waits for an answer of a server that is left is not left there", arguments: TestServer.available)
    func cut(_ kind: TestServer) async throws {
        try await withPair(kind) { pair in
            try await pair.setReadOnly(true, on: 1)
            try await running(pool(pair.ports)) { pool in
                let taken = Gate()
                // Longer than the read timeout of anybody.
                let busy = Task {
                    try await pool.withConnection { db in
                        taken.open()
                        _ = try db.query("SELECT SLEEP(3600)")
                    }
                }
                try await taken.wait()
                try await pair.setReadOnly(true, on: 0)
                try await pair.setReadOnly(false, on: 1)
                try await eventually { try await canWrite(pool) }
                let error = await #expect(throws: MariaDBError.self) { try await busy.value }
                #expect(error?.isConnectionLost == true, "\(String(describing: error))")
                #expect(try await write(pool) == pair.ports[1])
            }
        }
    }

    @Test("a primary that turns read-only is left for the one that took over", arguments: TestServer.available)
    func promotion(_ kind: TestServer) async throws {
        try await withPair(kind) { pair in
            try await pair.setReadOnly(true, on: 1)
            try await running(pool(pair.ports)) { pool in
                for _ in 0..<3 { #expect(try await write(pool) == pair.ports[0]) }
                // A busy connection to the old one; it ends when it comes back.
                let (taken, gate) = (Gate(), Gate())
                async let busy: Void = pool.withConnection { _ in
                    taken.open()
                    gate.block()
                }
                try await taken.wait()
                try await pair.setReadOnly(true, on: 0)
                // Writes are refused meanwhile; attempts to find another server stay few.
                let before = try await pair.connections(of: 0)
                let end = ContinuousClock.now + .seconds(2)
                var refused = 0
                while ContinuousClock.now < end {
                    #expect(try await !canWrite(pool))
                    refused += 1
                }
                let after = try await pair.connections(of: 0)
                #expect(refused > 50 && after - before < 15, "\(refused) refused, \(after - before) connections")

                try await pair.setReadOnly(false, on: 1)
                try await eventually { try await canWrite(pool) }
                #expect(try await write(pool) == pair.ports[1])
                gate.open()
                try await busy
                for _ in 0..<8 { #expect(try await write(pool) == pair.ports[1]) }
                // The server takes a moment to end what it was told to.
                try await eventually {
                    try await pair.roots[0].withConnection { db in
                        try db.processes().filter { $0.user == "app" }.isEmpty
                    }
                }
            }
        }
    }

    @Test("a demoted server is seen by a user who may write all the same", arguments: TestServer.available)
    func demotion(_ kind: TestServer) async throws {
        try await withPair(kind) { pair in
            try await pair.setReadOnly(true, on: 1)
            try await running(pool(pair.ports, user: "root")) { pool in
                #expect(try await write(pool) == pair.ports[0])
                #expect(try await pool.withConnection { try $0.isServerReadOnly() } == false)
                try await pair.setReadOnly(true, on: 0)
                #expect(try await pool.withConnection { try $0.isServerReadOnly() } == true)
                pool.leaveServer()
                #expect(try await !canWrite(pool))
                try await pair.setReadOnly(false, on: 1)
                try await eventually { try await canWrite(pool) }
                #expect(try await write(pool) == pair.ports[1])
            }
        }
    }

    @Test("each address has its reason in the error", arguments: [TestServer.mariaDB])
    func reasons(_ kind: TestServer) async throws {
        let port = try await kind.address.port
        let dead = try LocalServers.freePort()
        var configuration = MariaDBConfiguration(
            servers: [.tcp(host: "127.0.0.1", port: dead), .tcp(host: "127.0.0.1", port: port)],
            user: "nobody", password: "x")
        configuration.connectTimeout = .seconds(1)
        let both = await #expect(throws: MariaDBError.self) {
            try await MariaDBServers(configuration, logger: quiet).target()
        }
        #expect(both?.message.contains("127.0.0.1:\(dead)") == true)
        #expect(both?.message.contains("nobody") == true)
        // One of them may come back and take us.
        #expect(both?.isRefused == false)
        configuration.servers.removeFirst()
        let one = #expect(throws: MariaDBError.self) {
            try Session.open(configuration, at: configuration.servers[0])
        }
        #expect(one?.isRefused == true)
    }

    @Test("two that take writes are refused, and left by whoever is at one of them", arguments: TestServer.available)
    func twoPrimaries(_ kind: TestServer) async throws {
        try await withPair(kind) { pair in
            try await pair.setReadOnly(true, on: 0)
            let (servers, pools) = sharing(pair.ports, pools: 2)
            try await running(pools[0]) { first in
                try await running(pools[1]) { second in
                    // An idle connection of the second is there, too.
                    #expect(try await write(first) == pair.ports[1])
                    #expect(try await write(second) == pair.ports[1])
                    let looking = Task { await servers.run() }
                    defer { looking.cancel() }
                    // The old primary is woken, and takes writes.
                    try await pair.setReadOnly(false, on: 0)
                    try await eventually(within: .seconds(30)) {
                        let taken = try await [canWrite(first), canWrite(second)]
                        return taken == [false, false]
                    }
                    #expect(servers.conflict?.contains("both take writes") == true)
                    // Somebody fences it off.
                    try await pair.setReadOnly(true, on: 0)
                    try await eventually {
                        let taken = try await [canWrite(first), canWrite(second)]
                        return taken == [true, true]
                    }
                    #expect(try await write(second) == pair.ports[1])
                    #expect(servers.conflict == nil)
                }
            }
        }
    }

    @Test("pools that share a choice leave a server together, idle connections too", arguments: [TestServer.mariaDB])
    func together(_ kind: TestServer) async throws {
        try await withPair(kind) { pair in
            try await pair.setReadOnly(true, on: 1)
            let (_, pools) = sharing(pair.ports, pools: 2)
            try await running(pools[0]) { busy in
                try await running(pools[1]) { idle in
                    #expect(try await write(busy) == pair.ports[0])
                    #expect(try await write(idle) == pair.ports[0])
                    try await pair.setReadOnly(true, on: 0)
                    try await pair.setReadOnly(false, on: 1)
                    // Only one of them learns of it by a refusal; the other's connection was to a server that takes writes no more, and
                    // then again, as a stale primary that is woken does.
                    try await eventually { try await canWrite(busy) }
                    try await pair.setReadOnly(false, on: 0)
                    #expect(try await write(idle) == pair.ports[1])
                }
            }
        }
    }

    /// The first look takes as long as that address has time for its answer, while somebody looks again and again.
    @Test("an address that never answers keeps nobody from the other", arguments: [TestServer.mariaDB])
    func silent(_ kind: TestServer) async throws {
        try await withPair(kind) { pair in
            let listener = try SilentListener()
            let (servers, pools) = sharing([listener.port, pair.ports[0]], pools: 1)
            let looking = Task { await servers.run() }
            try await running(pools[0]) { pool in
                let port = try await write(pool)
                #expect(port == pair.ports[0])
            }
            looking.cancel()
            await looking.value
        }
    }

    private func sharing(_ ports: [Int], pools count: Int) -> (MariaDBServers, [MariaDBPool]) {
        let one = pool(ports)
        let servers = MariaDBServers(one.configuration, logger: quiet)
        var limits = MariaDBPoolConfiguration()
        limits.maxConnections = 2
        limits.maxBackoff = .milliseconds(400)
        return (
            servers,
            (0..<count).map { _ in MariaDBPool(one.configuration, pool: limits, servers: servers, logger: quiet) }
        )
    }
}
