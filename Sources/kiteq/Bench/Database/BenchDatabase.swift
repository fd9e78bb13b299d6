import KiteQStore
import Logging
import MariaDB

/// The databases that are measured: KiteQ's tables in databases of the measurement's own, and the server without the broker.
struct BenchDatabase: Sendable {
    let url: String
    let configuration: MySQLStoreConfiguration
    let logger: Logger

    /// - Throws: `CommandError` where the databases are not for this alone.
    init(url: String, logger: Logger) throws {
        self.url = url
        self.logger = logger
        configuration = try MySQLStoreURL.configuration(url, password: Environment.value("KITEQ_STORE_PASSWORD"))
        guard configuration.shards.allSatisfy({ $0.database?.contains("bench") == true }) else {
            throw CommandError(
                "bench fills its databases and empties them: give it some of its own, with bench in their name")
        }
    }

    /// The same server's, with databases of another name.
    func named(suffix: String) throws -> BenchDatabase {
        let end = url.firstIndex(of: "?") ?? url.endIndex
        return try BenchDatabase(url: url[..<end] + suffix + url[end...], logger: logger)
    }

    func prepare() async throws { _ = try await Migrator(configuration, logger: logger).run() }

    /// Takes all messages away. No broker may run.
    func empty() async throws {
        for shard in configuration.shards {
            try await withPool(shard) { pool in
                try await pool.withConnection { connection in
                    for table in ["kite_message", "kite_delivery", "kite_transaction", "kite_dead_letter"] {
                        try connection.simple("TRUNCATE TABLE \(table)")
                    }
                }
            }
        }
    }

    /// Runs `body` with connections to the first shard's database.
    func withPool<Result: Sendable>(
        connections: Int = 1, _ body: @escaping @Sendable (MariaDBPool) async throws -> Result
    ) async throws -> Result {
        try await withPool(configuration.shards[0], connections: connections, body)
    }

    private func withPool<Result: Sendable>(
        _ shard: MariaDBConfiguration, connections: Int = 1,
        _ body: @escaping @Sendable (MariaDBPool) async throws -> Result
    ) async throws -> Result {
        var limits = MariaDBPoolConfiguration()
        limits.maxConnections = connections
        let pool = MariaDBPool(shard, pool: limits, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pool.run() }
            defer { tasks.cancelAll() }
            return try await body(pool)
        }
    }

    /// Such as `MariaDB 10.11.14`.
    func server() async throws -> String {
        try await withPool { pool in
            try await pool.withConnection { connection in
                "\(connection.server.kind) \(connection.server.version.map(String.init).joined(separator: "."))"
            }
        }
    }

    /// What the figures depend on: the server's version, memory, and what it writes before it says yes.
    func facts() async throws -> String {
        try await withPool { pool in
            try await pool.withConnection { connection in
                var settings: [String: String] = [:]
                for row in try connection.simpleRows("SHOW GLOBAL VARIABLES") {
                    settings[try row.text(0)] = try row.text(1)
                }
                func setting(_ name: String) -> String { settings[name] ?? "-" }
                let pool = Int(setting("innodb_buffer_pool_size")) ?? 0
                return [
                    "\(connection.server.kind) \(setting("version"))", "buffer pool \(pool >> 20) MiB",
                    "innodb_flush_log_at_trx_commit=\(setting("innodb_flush_log_at_trx_commit"))",
                    "log_bin=\(setting("log_bin"))", "sync_binlog=\(setting("sync_binlog"))",
                    "doublewrite=\(setting("innodb_doublewrite"))",
                ].joined(separator: ", ")
            }
        }
    }
}
