import KiteQCore
import KiteQStore
import Logging
import MariaDB

/// Reads the tables as a DBA would, for the demonstration.
struct DemoTables: Sendable {
    /// A statement as it is shown, its id cut short, and the row it found.
    struct Look: Sendable, Hashable {
        var statement: String
        /// Nil where there was none.
        var row: [String]?
    }

    private let pool: MariaDBPool
    private let databases: [String]
    private let shardMap: ShardMap

    init(_ store: MySQLStoreConfiguration, logger: Logger) {
        var server = store.shards[0]
        databases = store.shards.map { $0.database ?? "" }
        server.database = nil
        pool = MariaDBPool(server, logger: logger)
        shardMap = ShardMap(shards: store.shards.count)
    }

    func run() async { await pool.run() }

    /// state and topic of an undone message.
    func message(_ id: MessageID) async throws -> Look {
        try await look("state, topic", in: "kite_message", id) { row in
            let states = ["half: delivered to nobody", "fresh: owed to its groups", "tracked: see kite_delivery"]
            let state = Int(try row.int(0))
            return ["\(state) (\(states.indices.contains(state) ? states[state] : "?"))", try row.text(1)]
        }
    }

    /// outcome and checks of a half message.
    func transaction(_ id: MessageID) async throws -> Look {
        try await look("outcome, checks", in: "kite_transaction", id) { row in
            let outcomes = ["undecided", "committed", "rolled back", "parked"]
            let outcome = Int(try row.int(0))
            let checks = try row.int(1)
            return [
                "\(outcome) (\(outcomes.indices.contains(outcome) ? outcomes[outcome] : "?"))",
                "\(checks) (\(checks == 0 ? "nobody was asked" : "asked \(checks == 1 ? "once" : "\(checks) times")"))",
            ]
        }
    }

    /// How many rows of these messages there are in a table, over all shards.
    func count(_ table: String, of ids: [MessageID]) async throws -> Int {
        let list = ids.map { "x'\($0)'" }.joined(separator: ",")
        return try await count { "SELECT COUNT(*) FROM \($0).\(table) WHERE message_id IN (\(list))" }
    }

    func deliveries(of group: String) async throws -> Int {
        try await count { "SELECT COUNT(*) FROM \($0).kite_delivery WHERE group_name = '\(group)'" }
    }

    private func count(_ statement: (String) -> String) async throws -> Int {
        var total = 0
        for database in databases {
            let sql = statement(database)
            total += try await pool.withConnection { Int(try $0.query(sql).first?.int(0) ?? 0) }
        }
        return total
    }

    private func look(
        _ columns: String, in table: String, _ id: MessageID,
        _ read: @escaping @Sendable (MariaDBRow) throws -> [String]
    ) async throws -> Look {
        let statement = "SELECT \(columns) FROM \(databases[shardMap.shard(of: id)]).\(table) WHERE message_id = x'"
        let row = try await pool.withConnection { connection in
            try connection.query("\(statement)\(id)'").first.map(read)
        }
        return Look(statement: "\(statement)\(id.description.prefix(6))…'", row: row)
    }
}
