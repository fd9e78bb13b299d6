import MariaDB

/// What the tables of one shard held at one moment.
struct ShardDump: Sendable {
    var shard: Int
    var tables: [(name: String, rows: [MariaDBRow])]
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
            let tables = try names.map { ($0, try connection.query("SELECT * FROM kite_\(shard).\($0)")) }
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
            for (table, rows) in dump.tables {
                try connection.simple("CREATE TABLE \(then).\(table) LIKE \(shard).\(table)")
                try connection.simple("BEGIN")
                for start in stride(from: 0, to: rows.count, by: Self.rowsAtOnce) {
                    let some = rows[start..<min(start + Self.rowsAtOnce, rows.count)]
                    let row = "(" + Array(repeating: "?", count: some[start].values.count).joined(separator: ",") + ")"
                    try connection.execute(
                        "INSERT INTO \(then).\(table) VALUES "
                            + Array(repeating: row, count: some.count).joined(separator: ","),
                        some.flatMap(\.values))
                }
                try connection.simple("COMMIT")
            }
            let moves = dump.tables.flatMap { table, _ in
                ["\(shard).\(table) TO \(now).\(table)", "\(then).\(table) TO \(shard).\(table)"]
            }
            try connection.simple("RENAME TABLE " + moves.joined(separator: ", "))
        }
    }
}
