import Foundation
import LocalServers
import MariaDB
import Testing

@testable import KiteQStore

/// Tables that were full and are nearly empty, as a queue's are, while somebody's snapshot keeps the deleted rows in the indexes: 400
/// rows with the smallest keys, the deleted ones, and a hundred with the greatest. The optimizer knows of the five hundred alone.
enum EmptiedTables {
    /// Deleted messages; of delivery rows and transactions there are three times and twice as many. KITEQ_DELETED_ROWS sets another
    /// number: a million takes some minutes.
    static let deleted = ProcessInfo.processInfo.environment["KITEQ_DELETED_ROWS"].flatMap { Int($0) } ?? 50_000
    private static let first = 400
    private static let last = 100
    private static var rows: Int { first + deleted + last }

    /// Where the last rows begin: their seqs, due times and times of death are all above, and those of the deleted ones below.
    static var end: String { "\(2_000 + first + deleted)" }
    static var beyond: String { "\(2_000 + rows)" }

    /// A letter that was deleted.
    static let gone = "700"

    static let tables = [
        "message", "delivery", "transaction", "dead_letter", "presence", "route", "incarnation", "group",
    ]

    /// Fills all, and deletes most, while `snapshot` has one.
    static func make(_ connection: isolated MariaDBConnection) throws {
        let digits = (0...9).map { "SELECT \($0)\($0 == 0 ? " n" : "")" }.joined(separator: " UNION ")
        try connection.simple("CREATE TABLE numbers (i INT PRIMARY KEY)")
        try connection.simple(
            """
            INSERT INTO numbers SELECT * FROM (SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n \
            + 1000000 * g.n AS i FROM (\(digits)) a, (\(digits)) b, (\(digits)) c, (\(digits)) d, (\(digits)) e, \
            (\(digits)) f, (SELECT 0 n UNION SELECT 1) g) x WHERE i < \(rows)
            """)
        try inPieces { try fill("WHERE i >= \($0.lowerBound) AND i < \($0.upperBound)", connection) }
        for statement in [
            """
            INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at) \
            VALUES (1, 'n', 'a', 0, 1, 1), (2, 'n', 'a', 1, 1, 1)
            """,
            "INSERT INTO kite_route SELECT i, CHAR(97 + i % 20), 1 FROM numbers WHERE i < 500",
            "INSERT INTO kite_presence SELECT CONCAT('g', i), 1 + i % 3, 1 FROM numbers WHERE i < 5000",
        ] { try connection.simple(statement) }
    }

    static func empty(_ connection: isolated MariaDBConnection) throws {
        try connection.simple("DELETE FROM kite_presence WHERE group_name NOT LIKE 'g1__'")
        try inPieces { piece in
            let range = piece.clamped(to: first..<first + deleted)
            guard !range.isEmpty else { return }
            for table in ["message", "delivery", "transaction"] {
                try connection.simple(
                    "DELETE FROM kite_\(table) WHERE seq >= \(2_000 + range.lowerBound) AND seq < \(2_000 + range.upperBound)"
                )
            }
            try connection.simple(
                "DELETE FROM kite_transaction WHERE seq >= \(-range.upperBound) AND seq < \(-range.lowerBound)")
            try connection.simple(
                "DELETE FROM kite_dead_letter WHERE id > \(range.lowerBound) AND id <= \(range.upperBound)")
        }
    }

    static func analyze(_ connection: isolated MariaDBConnection) throws {
        for table in tables { _ = try connection.simpleRows("ANALYZE TABLE kite_\(table)") }
    }

    private static func inPieces(_ body: (Range<Int>) throws -> Void) rethrows {
        for start in stride(from: 0, to: rows, by: 20_000) { try body(start..<min(start + 20_000, rows)) }
    }

    /// Those that are deleted are all of the one owner, route and group whose rows the statements look for.
    private static func fill(_ range: String, _ connection: isolated MariaDBConnection) throws {
        let isFirst = "i < \(first)"
        let id = "UNHEX(LEFT(SHA2(i, 256), 32))"
        for statement in [
            """
            INSERT INTO kite_message SELECT 2000 + i, \(id), IF(\(isFirst), IF(i % 10 = 0, 0, IF(i % 3 = 0, 2, 1)), 1), 17, \
            IF(\(isFirst), i % 5, 1), IF(\(isFirst), IF(i % 10 = 0, 0, 7 + i % 4), 7), i, i, 100, 'trade', 'paid', 'p', \
            REPEAT('h', 50), REPEAT('b', 50), NULL FROM numbers \(range)
            """,
            """
            INSERT INTO kite_delivery (seq, group_name, attempts, due_at, owner) \
            SELECT 2000 + i, 'a', 1, 0, 0 FROM numbers \(range)
            """,
            """
            INSERT INTO kite_delivery (seq, group_name, attempts, due_at, owner) \
            SELECT 2000 + i, 'b', 1, 2000 + i, 0 FROM numbers \(range)
            """,
            """
            INSERT INTO kite_delivery (seq, group_name, attempts, due_at, owner) \
            SELECT 2000 + i, 'c', 1, 9223372036854775807, 1 FROM numbers \(range)
            """,
            "INSERT INTO kite_transaction SELECT 2000 + i, \(id), 0, 0, 2000 + i, 'p', 'p', i FROM numbers \(range)",
            """
            INSERT INTO kite_transaction SELECT -1 - i, UNHEX(LEFT(SHA2(-1 - i, 256), 32)), 1, 0, 2000 + i, 'p', 'p', i \
            FROM numbers \(range)
            """,
            """
            INSERT INTO kite_dead_letter (id, seq, message_id, group_name, reason, attempts, died_at, kind, expires_at, \
            published_at, deliver_limit, topic, message_type, publisher_group, header, body) SELECT 1 + i, 2000 + i, \(id), \
            'a', 1, 1, 2000 + i, 17, 1, 1, 1, 'trade', 'paid', 'p', 'h', 'b' FROM numbers \(range)
            """,
        ] { try connection.simple(statement) }
    }

    /// A few rows of each table, the first of which the statements look for.
    static func few(_ rows: Int, _ connection: isolated MariaDBConnection) throws {
        for table in tables { try connection.simple("DELETE FROM kite_\(table)") }
        try connection.simple("CREATE TABLE IF NOT EXISTS numbers (i INT PRIMARY KEY)")
        try connection.simple(
            "INSERT IGNORE INTO numbers VALUES " + (0..<rows).map { "(\($0))" }.joined(separator: ","))
        try fill("", connection)
        try connection.simple("INSERT INTO kite_presence SELECT CONCAT('g', i), 1 + i % 3, 1 FROM numbers")
    }

    /// What a session does to keep deleted rows from being purged, as a dump does.
    static let snapshot = [
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        "SELECT seq FROM kite_message LIMIT 1",
    ]

    /// What a session does to have rows that are not committed, at both ends and where nobody's keys are.
    static let open =
        ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"]
        + [-1_000_000, 1_000, 90_000_000].flatMap { seq in
            let id = "UNHEX(LEFT(SHA2('o \(seq)', 256), 32))"
            return [
                """
                INSERT INTO kite_message VALUES (\(seq), \(id), 1, 17, 1, 7, 1, 1, 100, 'trade', 'paid', 'p', 'h', 'b', NULL)
                """,
                """
                INSERT INTO kite_delivery (seq, group_name, attempts, due_at, owner) VALUES (\(seq), 'a', 1, 0, 0), \
                (\(seq), 'b', 1, \(seq), 0), (\(seq), 'c', 1, 9223372036854775807, 1)
                """,
                "INSERT INTO kite_transaction VALUES (\(seq), \(id), 0, 0, \(seq), 'p', 'p', 1)",
                """
                INSERT INTO kite_dead_letter (id, seq, message_id, group_name, reason, attempts, died_at, kind, expires_at, \
                published_at, deliver_limit, topic, message_type, publisher_group, header, body) VALUES (\(seq + 100_000_000), \
                \(seq), \(id), 'a', 1, 1, \(seq), 17, 1, 1, 1, 'trade', 'paid', 'p', 'h', 'b')
                """,
                "INSERT INTO kite_presence VALUES ('other \(seq)', 99, 1)",
            ]
        }
}

extension ExplainTests {
    static var all: [Case] { cases + deadLetterCases + operatorCases }
}

extension StoreUnderTest {
    /// Runs `body` with a database on a server that nobody else uses, and whose statistics change when they are told to.
    func withServerOfItsOwn(_ body: (MySQLStoreConfiguration) async throws -> Void) async throws {
        let options = [
            "--innodb-buffer-pool-size=1G", "--innodb-stats-auto-recalc=OFF", "--innodb-flush-log-at-trx-commit=0",
        ]
        if self == .mySQL {
            let server = try LocalMySQL(
                root: try #require(LocalMySQL.root), dataDirectory: try LocalServers.temporaryFolder("mysql"),
                options: options + ["--skip-log-bin"])
            try await server.start()
            try await body(Self.configuration(port: server.port))
            await server.stop()
        } else {
            let server = try LocalMariaDB(
                dataDirectory: try LocalServers.temporaryFolder("mariadb"), options: options)
            try await server.start()
            try await body(Self.configuration(port: server.port))
            await server.stop()
        }
    }

    private static func configuration(port: Int) throws -> MySQLStoreConfiguration {
        try MySQLStoreURL.configuration("mysql://root@127.0.0.1:\(port)/emptied?shards=1", password: "")
    }
}
