import MariaDB

/// What the tables of one shard held at one moment.
struct ShardDump: Sendable {
    var shard: Int
    /// With the names of the columns of each, those that the server computes left out.
    var tables: [(name: String, columns: String, rows: [MariaDBRow])]
}

extension Tables {
    /// Rows of one INSERT that plays a dump back.
    private static let rowsAtOnce = 50

    /// As `mariadb-dump --single-transaction` makes it.
    func dump(shard: Int) async throws -> ShardDump {
        try await withLive { connection in
            let names = try Self.names(shard, connection)
            try connection.simple("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            try connection.simple("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            let tables = try names.map { table in
                let columns = try connection.query(
                    "SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = ? "
                        + "AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position",
                    [.text("kite_\(shard)"), .text(table)]
                ).map { try $0.text(0) }.joined(separator: ", ")
                return (table, columns, try connection.query("SELECT \(columns) FROM kite_\(shard).\(table)"))
            }
            try connection.simple("COMMIT")
            return ShardDump(shard: shard, tables: tables)
        }
    }

    /// Makes tables of it beside the shard's, and puts them in place of these in one statement, as docs/restore.md says for brokers
    /// that have to go on.
    func playBack(_ dump: ShardDump) async throws {
        let (shard, then, now) = ("kite_\(dump.shard)", "kite_\(dump.shard)_then", "kite_\(dump.shard)_now")
        try await withLive { connection in
            // Statements of brokers are short; whoever is in the way is waited for.
            try connection.simple("SET SESSION lock_wait_timeout = 20")
            for database in [then, now] {
                try connection.simple("DROP DATABASE IF EXISTS \(database)")
                try connection.simple("CREATE DATABASE \(database)")
            }
            for (table, columns, rows) in dump.tables {
                try connection.simple("CREATE TABLE \(then).\(table) LIKE \(shard).\(table)")
                try connection.simple("BEGIN")
                for start in stride(from: 0, to: rows.count, by: Self.rowsAtOnce) {
                    let some = rows[start..<min(start + Self.rowsAtOnce, rows.count)]
                    let row = "(" + Array(repeating: "?", count: some[start].values.count).joined(separator: ",") + ")"
                    try connection.execute(
                        "INSERT INTO \(then).\(table) (\(columns)) VALUES "
                            + Array(repeating: row, count: some.count).joined(separator: ","),
                        some.flatMap(\.values))
                }
                try connection.simple("COMMIT")
            }
            let moves = dump.tables.flatMap { table, _, _ in
                ["\(shard).\(table) TO \(now).\(table)", "\(then).\(table) TO \(shard).\(table)"]
            }
            try connection.simple("RENAME TABLE " + moves.joined(separator: ", "))
        }
    }
}
