import MariaDB

/// What the databases of a run say, of all shards together.
struct Tables: Sendable {
    let shards: Int
    private let pool: MariaDBPool

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
    /// - Parameter query: with `%@` where the database's name stands.
    func sum(_ query: String) async throws -> Int64 {
        let shards = shards
        return try await pool.withConnection { connection in
            var sum: Int64 = 0
            for shard in 0..<shards {
                let text = query.split(separator: "%@", omittingEmptySubsequences: false)
                    .joined(separator: shards == 1 ? "kite" : "kite_\(shard)")
                sum += try connection.simpleRows(text).first.flatMap { Int64(try $0.text(0)) } ?? 0
            }
            return sum
        }
    }

    func rows(_ table: String) async throws -> Int64 { try await sum("SELECT COUNT(*) FROM %@.\(table)") }

    /// Shards in which every life of a broker was declared dead.
    func shardsWithout(_ broker: String) async throws -> Int64 {
        try await sum(
            "SELECT COUNT(*) > 0 AND SUM(state = 0) = 0 FROM %@.kite_incarnation WHERE name = '\(broker)'")
    }

    func undecided() async throws -> Int64 {
        try await sum("SELECT COUNT(*) FROM %@.kite_transaction WHERE outcome = 0")
    }

    /// Transactions whose undo is not purged yet.
    func historyLength() async throws -> Int64 {
        try await pool.withConnection { connection in
            try connection.simpleRows(
                "SELECT `count` FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'"
            ).first.flatMap { Int64(try $0.text(0)) } ?? 0
        }
    }

    /// What became of each statement that brokers hold prepared now: text, executions, rows read, sent and changed, and
    /// mean and longest time in ms.
    func statements() async throws -> [StatementFigures] {
        try await pool.withConnection { connection in
            try connection.simpleRows(
                """
                SELECT sql_text, CAST(SUM(count_execute) AS CHAR), CAST(SUM(sum_rows_examined) AS CHAR), \
                CAST(SUM(sum_rows_sent) AS CHAR), CAST(SUM(sum_rows_affected) AS CHAR), \
                CAST(SUM(sum_timer_execute) / 1e9 AS CHAR), CAST(MAX(max_timer_execute) / 1e9 AS CHAR) \
                FROM performance_schema.prepared_statements_instances WHERE count_execute > 0 \
                GROUP BY sql_text ORDER BY SUM(sum_timer_execute) DESC
                """
            ).map { try StatementFigures($0) }
        }
    }
}
