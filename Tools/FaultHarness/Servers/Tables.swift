import Foundation
import KiteQCore
import LocalServers
import Logging
import MariaDB

/// What the databases of the shards hold, read as a DBA would.
struct Tables: Sendable {
    /// Rows of all shards.
    struct Counts: Sendable, Hashable, CustomStringConvertible {
        var messages = 0
        var deliveries = 0
        /// Half messages that nobody has decided.
        var undecided = 0

        var isEmpty: Bool { messages == 0 && deliveries == 0 && undecided == 0 }
        var description: String {
            "kite_message \(messages), kite_delivery \(deliveries), kite_transaction undecided \(undecided)"
        }
    }

    /// Of the one server; nil where there is a cluster.
    let pool: MariaDBPool?
    /// Whoever takes the writes is asked then.
    let cluster: (any DatabaseCluster)?
    let shards: Int
    let key: MessageKey

    func counts() async throws -> Counts {
        try await withLive { connection in
            var counts = Counts()
            for shard in 0..<shards {
                let row = try connection.query(
                    """
                    SELECT (SELECT COUNT(*) FROM kite_\(shard).kite_message), \
                    (SELECT COUNT(*) FROM kite_\(shard).kite_delivery), \
                    (SELECT COUNT(*) FROM kite_\(shard).kite_transaction WHERE outcome = 0)
                    """)[0]
                counts.messages += Int(try row.int(0))
                counts.deliveries += Int(try row.int(1))
                counts.undecided += Int(try row.int(2))
            }
            return counts
        }
    }

    /// - Throws: where a dead letter is none of this run's.
    func deadLetters() async throws -> [DeadLetter] {
        try await withLive { connection in
            var letters: [DeadLetter] = []
            for shard in 0..<shards {
                let sql = "SELECT message_id, group_name FROM kite_\(shard).kite_dead_letter ORDER BY id"
                for row in try connection.query(sql) {
                    guard let message = try number(row.bytes(0)) else {
                        throw HarnessError("shard \(shard) has a dead letter of a message that was not published here")
                    }
                    letters.append(DeadLetter(message: message, group: Topology.groups.firstIndex(of: try row.text(1))))
                }
            }
            return letters
        }
    }

    /// The life that works under a name, in each shard; nil where none does there.
    func lives(of name: String) async throws -> [Int64?] {
        try await withLive { connection in
            try (0..<shards).map { shard in
                try connection.query(
                    "SELECT number FROM kite_\(shard).kite_incarnation WHERE name = ? AND state = 0 ORDER BY number DESC",
                    [.text(name)]
                ).first?.int(0)
            }
        }
    }

    /// Locks all tables of a shard for so long: against writing alone, or against reading as well.
    func lock(shard: Int, againstReading: Bool, for time: Duration) async throws {
        try await withLive { connection in
            let tables = try Self.names(shard, connection).map { "kite_\(shard).\($0)" }
            // Whoever is in the way of it is waited for: brokers' statements are short.
            try connection.simple("SET SESSION lock_wait_timeout = 20")
            let mode = againstReading ? "WRITE" : "READ"
            try connection.simple("LOCK TABLES " + tables.map { "\($0) \(mode)" }.joined(separator: ", "))
            do {
                try connection.simple("DO SLEEP(\(time / .seconds(1)))")
                try connection.simple("UNLOCK TABLES")
            } catch {
                try connection.simple("UNLOCK TABLES")
                throw error
            }
        }
    }

    static func names(_ shard: Int, _ connection: isolated MariaDBConnection) throws -> [String] {
        try connection.query(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE'",
            [.text("kite_\(shard)")]
        ).map { try $0.text(0) }.sorted()
    }

    /// What is left, for people: at most so many rows of each shard, with the message's number.
    func leftovers(limit: Int) async throws -> [(message: UInt32?, text: String)] {
        try await withLive { connection in
            var rows: [(message: UInt32?, text: String)] = []
            for shard in 0..<shards {
                let database = "kite_\(shard)"
                let messages = try connection.query(
                    """
                    SELECT m.message_id, m.seq, m.state, m.owner, m.route, COALESCE(i.state, 9), \
                    COALESCE((SELECT GROUP_CONCAT(CONCAT(d.group_name, ' attempts=', d.attempts, ' due=', d.due_at)) \
                    FROM \(database).kite_delivery d WHERE d.seq = m.seq), '') \
                    FROM \(database).kite_message m LEFT JOIN \(database).kite_incarnation i ON i.number = m.owner \
                    ORDER BY m.seq LIMIT \(limit)
                    """)
                for row in messages {
                    let owner = ["alive", "dead", "gone"][safely: Int(try row.int(5))] ?? "unknown"
                    rows.append(
                        (
                            try number(row.bytes(0)),
                            "\(database).kite_message seq=\(try row.int(1)) state=\(try row.int(2)) "
                                + "owner=\(try row.int(3)) (\(owner)) route=\(try row.int(4)) \(try row.text(6))"
                        ))
                }
                let undecided = try connection.query(
                    """
                    SELECT message_id, seq, checks, next_check_at FROM \(database).kite_transaction WHERE outcome = 0 \
                    ORDER BY seq LIMIT \(limit)
                    """)
                for row in undecided {
                    rows.append(
                        (
                            try number(row.bytes(0)),
                            "\(database).kite_transaction seq=\(try row.int(1)) checks=\(try row.int(2)) "
                                + "next_check_at=\(try row.int(3))"
                        ))
                }
            }
            return rows
        }
    }

    private struct IsDead: Error {}

    /// Over a connection that was tried: one from before the server's last death is found dead only when it is used.
    func withLive<Result: Sendable>(
        _ body: @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> Result {
        guard let pool else { return try await withWriter(body) }
        while true {
            do {
                return try await pool.withConnection { connection in
                    do { try connection.ping() } catch { throw IsDead() }
                    return try body(connection)
                }
            } catch is IsDead {
                continue
            }
        }
    }

    /// Over a new connection to the writer of the cluster, which may have changed since the last time.
    private func withWriter<Result: Sendable>(
        _ body: @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> Result {
        guard let cluster else { throw HarnessError("there is no database to look at") }
        let socket = try await cluster.writer().database.socket
        let pool = MariaDBPool(
            MariaDBConfiguration(servers: [.socket(path: socket)], user: "root", password: ""),
            logger: HarnessRun.quietLogger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pool.run() }
            defer { tasks.cancelAll() }
            return try await pool.withConnection(body)
        }
    }

    private func number(_ bytes: [UInt8]) -> UInt32? {
        bytes.withUnsafeBytes { MessageID(bytes: $0) }.flatMap(key.number(of:))
    }
}

extension Array {
    fileprivate subscript(safely index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
