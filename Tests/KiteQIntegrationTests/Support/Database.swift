import Foundation
import KiteQStore
import LocalServers
import MariaDB
import Testing

/// KiteQ's tables, of a test's own, on a MariaDB of this machine.
struct Database: Sendable {
    let server: LocalMariaDB
    let name: String
    let shards: Int

    /// One server for all tests that leave it as they found it: they run one after the other.
    private static let shared = Task {
        let server = try LocalMariaDB(
            dataDirectory: try LocalServers.temporaryFolder("mariadb"), options: ["--max-allowed-packet=16M"])
        try await server.start()
        return server
    }

    /// New tables, on the shared server unless another one is given.
    static func migrated(on server: LocalMariaDB? = nil, shards: Int = 1) async throws -> Database {
        let name = "t\(UInt32.random(in: .min ... .max))"
        let home: LocalMariaDB
        if let server { home = server } else { home = try await shared.value }
        let database = Database(server: home, name: name, shards: shards)
        _ = try await Migrator(database.configuration(), logger: quiet).run()
        return database
    }

    func url(port: Int? = nil) -> String {
        "mysql://root@127.0.0.1:\(port ?? server.port)/\(name)?shards=\(shards)"
    }

    /// - Parameters:
    ///   - ports: where the server is reached, when that is not its own port.
    ///   - user: root, unless the server's read_only is to hold for it.
    ///   - lease: far longer than the tests that are not about leases.
    func configuration(
        ports: [Int] = [], user: String = "root", lease: Duration = .seconds(60)
    ) throws -> MySQLStoreConfiguration {
        // Reading takes longer than a row lock is waited for, which is 2 s.
        let hosts = (ports.isEmpty ? [server.port] : ports).map { "127.0.0.1:\($0)" }.joined(separator: ",")
        var configuration = try MySQLStoreURL.configuration(
            "mysql://\(user)@\(hosts)/\(name)?shards=\(shards)&connectTimeout=1&readTimeout=4&writeTimeout=2")
        configuration.lease = lease
        configuration.waitTimeout = .seconds(1)
        return configuration
    }

    // MARK: Asking the server itself

    func execute(_ statements: String..., port: Int? = nil) async throws {
        try await connected(port) { connection in
            for statement in statements { try connection.simple(statement) }
        }
    }

    /// Rows of a table in all shards.
    func count(_ table: String, where condition: String = "TRUE", port: Int? = nil) async throws -> Int {
        try await rows("SELECT COUNT(*) FROM \(table) WHERE \(condition)", port: port) { Int(try $0.int(0)) }
            .reduce(0, +)
    }

    /// Rows of a query, of one shard after the other.
    func rows<Row: Sendable>(
        _ query: String, port: Int? = nil, _ row: @escaping @Sendable (MariaDBRow) throws -> Row
    ) async throws -> [Row] {
        let (name, shards) = (self.name, self.shards)
        return try await connected(port) { connection in
            var rows: [Row] = []
            for shard in 0..<shards {
                try connection.simple("USE \(name)_\(shard)")
                // Not prepared: such a statement stays with the database that it was prepared in.
                rows += try connection.simpleRows(query).map(row)
            }
            return rows
        }
    }

    func connected<Result: Sendable>(
        _ port: Int? = nil, _ body: @escaping @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> Result {
        let pool = MariaDBPool(
            MariaDBConfiguration(
                servers: [.tcp(host: "127.0.0.1", port: port ?? server.port)], user: "root", password: ""),
            logger: quiet)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pool.run() }
            defer { tasks.cancelAll() }
            return try await pool.withConnection(body)
        }
    }

    /// Waits until nothing is owed to anybody; says what is left where that does not come.
    func isEmptied() async throws {
        do {
            for table in ["kite_message", "kite_delivery"] {
                try await eventually("\(table) is empty") { try await count(table) == 0 }
            }
        } catch {
            Issue.record("left: \(try await left())")
            throw error
        }
    }

    private func left() async throws -> String {
        let messages = try await rows(
            """
            SELECT CONCAT_WS(' ', m.seq, m.state, m.owner, m.route, LEFT(m.body, 20), d.group_name, d.owner, d.due_at) \
            FROM kite_message m LEFT JOIN kite_delivery d USING (seq) LIMIT 20
            """
        ) { try $0.text(0) }
        let lives = try await rows("SELECT CONCAT_WS(' ', number, state, lease_until) FROM kite_incarnation") {
            try $0.text(0)
        }
        return "\(messages), lives: \(lives)"
    }
}

extension LocalMariaDB {
    /// Runs `body` while the server is dead, killed as by a crash, and starts it again, however `body` ends.
    func whileKilled<Result>(_ body: () async throws -> Result) async throws -> Result {
        await kill()
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        try await start()
        return try result.get()
    }
}
