import MariaDB

/// What the databases of a run say, of all shards together.
struct Tables: Sendable {
    let pool: MariaDBPool
    private let shards: Int

    init(port: Int, shards: Int) {
        self.shards = shards
        pool = MariaDBPool(
            MariaDBConfiguration(servers: [.tcp(host: "127.0.0.1", port: port)], user: "root", password: ""),
            pool: MariaDBPoolConfiguration(), logger: quiet)
    }

    func whileOpen(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [pool] in await pool.run() }
            defer { tasks.cancelAll() }
            try await body()
        }
    }

    /// The sum over the shards of a query of one number.
    private func sum(_ query: String) async throws -> Int {
        try await pool.withConnection { connection in
            var sum = 0
            for shard in 0..<shards {
                try connection.simple("USE kite_\(shard)")
                sum += try connection.simpleRows(query).first.flatMap { Int(try $0.text(0)) } ?? 0
            }
            return sum
        }
    }

    var messages: Int { get async throws { try await sum("SELECT COUNT(*) FROM kite_message") } }

    /// Half messages that nobody has decided.
    var undecided: Int {
        get async throws { try await sum("SELECT COUNT(*) FROM kite_transaction WHERE outcome = 0") }
    }

    /// Brokers that have clients of a group, each counted in each shard.
    func presences(of group: String) async throws -> Int {
        try await sum("SELECT COUNT(*) FROM kite_presence WHERE group_name = '\(group)'")
    }

    /// Transactions whose undo is not purged yet, of the whole server.
    var historyLength: Int {
        get async throws {
            try await pool.withConnection { connection in
                try connection.simpleRows(
                    "SELECT `count` FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'"
                ).first.flatMap { Int(try $0.text(0)) } ?? 0
            }
        }
    }
}
