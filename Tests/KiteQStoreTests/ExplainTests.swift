import Foundation
import KiteQCore
import MariaDB
import Testing

@testable import KiteQStore

/// Every statement of the store uses the index that it was written for.
@Suite(.timeLimit(.minutes(3))) struct ExplainTests {
    /// One statement of `SQL`, with values for its placeholders, and the indexes that do.
    struct Case {
        let name: String
        let sql: String
        let values: [String]
        let keys: Set<String>
        /// In tables that were emptied: where the store's marks have it begin (``EmptiedTables``).
        private(set) var marked: [String]?
        /// It looks from the head of an index even so, for a person who asks, or once in a broker's life.
        private(set) var isFromHead = false
        /// MySQL reads up to a hundred rows of it at once, however few are asked for: of what is below a limit in a subquery, or joined.
        private(set) var isBuffered = false

        init(_ name: String, _ sql: String, _ values: [String], _ keys: String...) {
            self.name = name
            self.sql = sql
            self.values = values
            self.keys = Set(keys)
        }

        func marked(_ values: String...) -> Self {
            var copy = self
            copy.marked = values
            return copy
        }

        var fromHead: Self {
            var copy = self
            copy.isFromHead = true
            return copy
        }

        var buffered: Self {
            var copy = self
            copy.isBuffered = true
            return copy
        }

        var hasList: Bool { sql.contains("%@") }

        /// Whether it locks rows and waits for those of others.
        var mayWait: Bool {
            !sql.contains("SKIP LOCKED") && !sql.contains("NOWAIT")
                && (!sql.hasPrefix("SELECT") || sql.contains("FOR UPDATE"))
        }

        /// Placeholders filled in: EXPLAIN of a prepared statement is not to be had everywhere.
        var text: String { text(values, list: 4) }

        /// The same with a longer list, which begins with that of `values` and goes on with further seqs; of ids four.
        func text(_ values: [String], list size: Int) -> String {
            var values = values
            if let last = values.firstIndex(of: "2004") ?? values.firstIndex(of: "304"), size > 4 {
                let first = (Int(values[last]) ?? 0) + 1
                values.insert(contentsOf: (first..<first + size - 4).map { "\($0)" }, at: last + 1)
                return Self.filled(SQL.list(sql, size), values)
            }
            return Self.filled(SQL.list(sql, 4), values)
        }

        private static func filled(_ sql: String, _ values: [String]) -> String {
            let parts = sql.split(separator: "?", omittingEmptySubsequences: false)
            precondition(parts.count == values.count + 1, "\(values.count) values for \(sql)")
            return zip(parts, values + [""]).map { $0 + $1 }.joined()
        }
    }

    static let ids = [5, 6, 7, 8].map { "UNHEX(LEFT(SHA2(\($0), 256), 32))" }
    static let seqs = ["2001", "2002", "2003", "2004"]

    private static let waits = ["'a'", "'a'", "0", "'a'", "1", "500", "900000"]

    static let cases: [Case] = [
        Case("messagesByID", SQL.messagesByID, ids, "by_id"),
        Case("knownMessages", SQL.knownMessages, ids, "by_id"),
        Case("lockByID", SQL.lockByID, ids, "by_id"),
        Case("outcomesByID", SQL.outcomesByID, ids, "by_id"),
        Case("route", SQL.route, ["7"], "PRIMARY"),
        Case("lockTransactions", SQL.lockTransactions, ids, "by_id"),
        Case("lockHalfMessages", SQL.lockHalfMessages, seqs, "PRIMARY"),
        Case("commitMessages", SQL.commitMessages, ["7", "1"] + seqs, "PRIMARY"),
        Case("deleteHalfMessages", SQL.deleteHalfMessages, seqs, "PRIMARY"),
        Case("decideTransactions", SQL.decideTransactions, ["1", "1"] + seqs, "PRIMARY"),
        Case(
            "dueTransactions", SQL.dueTransactions, ["2000", "2100", "900000", "2000", "7", "50"], "by_check", "PRIMARY"
        ).marked(EmptiedTables.end, EmptiedTables.beyond, "99000000", EmptiedTables.end, "7", "4"),
        Case("lockDueTransactions", SQL.lockDueTransactions, seqs, "PRIMARY"),
        Case("reschedule", SQL.reschedule, ["1", "1", "2001"], "PRIMARY"),
        Case("park", SQL.park, ["1", "2001"], "PRIMARY"),
        Case("checksOf", SQL.checksOf, ["2001"], "PRIMARY"),
        Case("lockParked", SQL.lockParked, ids, "by_id"),
        Case("restoreCommitted", SQL.restoreCommitted, ["1", "7", "9000", "300"], "PRIMARY")
            .marked("1", "7", "9000", EmptiedTables.gone),
        Case("removeMessages", SQL.removeMessages, seqs + ["1"], "PRIMARY"),
        Case("lockMessages", SQL.lockMessages, seqs, "PRIMARY"),
        Case("freeMessages", SQL.freeMessages, seqs, "PRIMARY"),
        Case("ownDeliveries", SQL.ownDeliveries, seqs + ["1"], "PRIMARY", "by_owner"),
        Case("existing", SQL.existing, seqs, "PRIMARY"),
        Case("bury", SQL.bury, ["'a'", "1", "1", "NULL", "1", "2001"], "PRIMARY"),
        Case("deleteDeliveries", SQL.deleteDeliveries, seqs + ["'a'"], "PRIMARY"),
        Case("trackMessages", SQL.trackMessages, seqs + ["1"], "PRIMARY"),
        Case("deleteFinished", SQL.deleteFinished, seqs, "PRIMARY"),
        Case("routesOf", SQL.routesOf, ["'a'"], "by_group"),
        Case("freshBacklog", SQL.freshBacklog, ["1", "7", "3000", "100"], "by_route")
            .marked("1", "7", EmptiedTables.end, "4"),
        Case("waitingDeliveries", SQL.waitingDeliveries, ["'a'", "3000", "100"], "by_due", "PRIMARY")
            .marked("'a'", EmptiedTables.end, "4"),
        Case("dueDeliveries", SQL.dueDeliveries, ["'a'", "1", "500", "900000", "100"], "by_due")
            .marked("'b'", EmptiedTables.end, EmptiedTables.beyond, "99000000", "4"),
        Case("load", SQL.load, seqs, "PRIMARY"),
        Case("sizes", SQL.sizes, seqs, "PRIMARY"),
        Case("retractLetters", SQL.retractLetters, seqs + ["'a'"], "by_message"),
        Case("takeDeliveries", SQL.takeDeliveries, ["2"] + seqs + ["'a'"], "PRIMARY", "by_owner"),
        Case("takenDeliveries", SQL.takenDeliveries, seqs + ["'a'", "2"], "PRIMARY", "by_owner"),
        Case("heldDeliveries", SQL.heldDeliveries, ["2", "2000", "100"], "by_owner")
            .marked("1", EmptiedTables.end, "4"),
        Case("nextRoute", SQL.nextRoute, ["1", "7"], "by_route"),
        Case("expiries", SQL.expiries, ["1", "7", "3000", "100"], "by_route").marked("1", "7", EmptiedTables.end, "4"),
        Case("deliveryExpiries", SQL.deliveryExpiries, ["3000", "100"], "by_owner", "PRIMARY")
            .marked(EmptiedTables.end, "4").buffered,
        Case("trackedAfter", SQL.trackedAfter, ["3000", "100"], "by_route").marked(EmptiedTables.end, "4"),
        Case("owed", SQL.owed, seqs, "PRIMARY"),
        Case("livingNow", SQL.livingNow, [], "by_state"),
        Case("names", SQL.names, seqs, "PRIMARY"),
        Case("freeDeliveries", SQL.freeDeliveries, seqs, "PRIMARY", "by_owner"),
        Case("lastMessageOwner", SQL.lastMessageOwner, ["1", "2"], "by_route"),
        Case("lastDeliveryOwner", SQL.lastDeliveryOwner, ["1", "2"], "by_owner"),
        Case("deliveriesOf", SQL.deliveriesOf, ["2", "0", "100"], "by_owner").marked("1", EmptiedTables.end, "4"),
        Case("releaseDeliveries", SQL.releaseDeliveries, seqs + ["2"], "PRIMARY", "by_owner"),
        Case("livingAmong", SQL.livingAmong, ["1", "2", "3", "4"], "PRIMARY", "by_state"),
        Case("elsewhere", SQL.elsewhere, ["7"], "by_state", "by_incarnation", "PRIMARY"),
        Case("waits", SQL.waits, waits, "by_due").marked(
            "'b'", "'a'", EmptiedTables.end, "'b'", EmptiedTables.end, EmptiedTables.beyond, "99000000"
        ).buffered,
        Case(
            "manyWait", SQL.manyWait, Array(repeating: waits, count: SQL.manyGroups).flatMap { $0 }, "by_due"
        ).fromHead,
        Case("deletePresence", SQL.deletePresence, ["'a'", "'b'", "'c'", "'d'", "7"], "PRIMARY", "by_incarnation"),
        Case("claim", SQL.claim, ["2"] + seqs + ["1"], "PRIMARY"),
        Case("owned", SQL.owned, seqs + ["1"], "PRIMARY"),
        Case("oldTransactions", SQL.oldTransactions, ["1", "0", "2100", "50"], "by_check")
            .marked("1", EmptiedTables.end, EmptiedTables.beyond, "4"),
        Case("purgeTransactions", SQL.purgeTransactions, seqs + ["1", "2100"], "PRIMARY"),
        Case("oldDeadLetters", SQL.oldDeadLetters, ["1000", "7", "1000", "1010", "50"], "by_time")
            .marked(EmptiedTables.end, "7", EmptiedTables.end, EmptiedTables.beyond, "4"),
        Case("routes", SQL.routes, ["7", "8", "9", "10"], "PRIMARY"),
        Case("deleteRoute", SQL.deleteRoute, ["7"], "PRIMARY"),
        Case("subjects", SQL.subjects, seqs, "PRIMARY"),
        Case("presenceOf", SQL.presenceOf, ["7"], "by_incarnation"),
        Case("savedTopics", SQL.savedTopics, ["'a'", "'b'", "'c'", "'d'"], "PRIMARY"),
        Case("deleteBindings", SQL.deleteBindings, ["'trade'"], "PRIMARY"),
        Case("bindings", SQL.bindings, ["'trade'"], "PRIMARY"),
        Case("renew", SQL.renew, ["1", "'1:2'", "1", "1"], "PRIMARY", "by_state"),
        Case("isLiving", SQL.isLiving, ["150"], "PRIMARY", "by_state"),
        Case("declareDead", SQL.declareDead, ["1", "1"], "PRIMARY", "by_state"),
        Case("endLife", SQL.endLife, ["2", "1"], "PRIMARY", "by_state"),
        Case("takeBack", SQL.takeBack, ["1"], "PRIMARY"),
        Case("anyMessageOf", SQL.anyMessageOf, ["1"], "by_route").fromHead,
        Case("anyDeliveryOf", SQL.anyDeliveryOf, ["1"], "by_owner").fromHead,
        Case("lastMessage", SQL.lastMessage, ["2500", "3000"], "PRIMARY").marked(EmptiedTables.end, "9000000"),
        Case("lastTransaction", SQL.lastTransaction, ["2500", "3000"], "PRIMARY").marked(EmptiedTables.end, "9000000"),
        Case("lastDeadLetter", SQL.lastDeadLetter, ["2500", "3000"], "by_message")
            .marked(EmptiedTables.end, "9000000"),
        Case("forgetIncarnation", SQL.forgetIncarnation, ["1"], "PRIMARY"),
    ]

    /// Tables of a few rows, which the server may as well read whole: a row for each life of a broker, 256 slots.
    static let small: Set<String> = [
        "slots", "longDead", "livesOf", "lockLivesOf", "living", "incarnations", "uptime", "tablesMade", "leaseOf",
        "connection", "connections",
    ]
    /// Nothing is looked up.
    private static let inserts: Set<String> = [
        "insertMessages", "insertTransactions", "insertRoutes", "keepRoute", "upsertDeliveries", "overwriteDelivery",
        "insertIncarnation", "insertBindings", "insertPresence", "keepPresence", "messageColumns", "serverNow", "isDue",
        "now", "rememberDecision",
        "manyGroups", "always", "alwaysDue",
    ]

    @Test func noStatementIsForgotten() throws {
        let names = try Self.names(in: "MySQL/SQL.swift")
        #expect(names.count > 40)
        let known = Set(Self.cases.map(\.name)).union(Self.small).union(Self.inserts)
        #expect(names.subtracting(known).isEmpty, "not explained: \(names.subtracting(known))")
        let letters = try Self.names(in: "DeadLetters/DeadLetterSQL.swift")
        #expect(letters.count > 15)
        let knownLetters = Set(Self.deadLetterCases.map(\.name)).union(Self.deadLetterInserts)
        #expect(letters.subtracting(knownLetters).isEmpty, "not explained: \(letters.subtracting(knownLetters))")
        let operators = try Self.names(in: "Operator/OperatorSQL.swift")
        #expect(operators.count > 30)
        let knownOperators = Set(Self.operatorCases.map(\.name)).union(Self.operatorRest)
        #expect(
            operators.subtracting(knownOperators).isEmpty, "not explained: \(operators.subtracting(knownOperators))")
    }

    private static func names(in file: String) throws -> Set<String> {
        let source = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/KiteQStore/\(file)")
        let text = try String(contentsOf: source, encoding: .utf8)
        return Set(text.matches(of: /static let (\w+)/).map { String($0.1) })
    }

    @Test(arguments: StoreUnderTest.servers) func everyStatementUsesItsIndex(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        let pool = MariaDBPool(configuration.shards[0], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pool.run() }
            defer { tasks.cancelAll() }
            try await pool.withConnection { try Self.fill($0) }
            for item in Self.cases + Self.deadLetterCases + Self.operatorCases {
                let plan = try await pool.withConnection { connection in
                    try Self.plan(item.text, on: connection)
                }
                #expect(!plan.isEmpty, "\(item.name) has no plan")
                for line in plan {
                    // A key outside of the list, or none: the whole table would be read.
                    #expect(
                        line.table.hasPrefix("kite_dead") && line.type == nil || item.keys.contains(line.key ?? "none"),
                        "\(kind): \(item.name): \(line)")
                    #expect(line.type != "ALL" && line.type != "index", "\(kind): \(item.name): \(line)")
                }
            }
        }
    }

    struct Line: Sendable, CustomStringConvertible {
        var table: String
        var type: String?
        var key: String?
        var description: String { "table \(table), type \(type ?? "-"), key \(key ?? "-")" }
    }

    static func plan(_ sql: String, on connection: isolated MariaDBConnection) throws -> [Line] {
        // The table form has the same columns on both, save MySQL's `partitions` and `filtered`.
        let format = connection.server.kind == .mySQL ? "EXPLAIN FORMAT=TRADITIONAL " : "EXPLAIN "
        let isMySQL = connection.server.kind == .mySQL
        return try connection.simpleRows(format + sql).compactMap { row in
            let table = row.values[2] == .null ? "" : try row.text(2)
            // The target of an INSERT … SELECT is named without a way to it.
            if try row.text(1) == "INSERT" || table.isEmpty { return nil }
            // What a bounded SELECT gave: its own line tells how it was read.
            if table.hasPrefix("<") { return nil }
            let (type, key) = isMySQL ? (4, 6) : (3, 5)
            return Line(
                table: table, type: row.values[type] == .null ? nil : try row.text(type),
                key: row.values[key] == .null ? nil : try row.text(key))
        }
    }

    /// Enough rows that a whole table would be the dearer way.
    private static func fill(_ connection: isolated MariaDBConnection) throws {
        let digits =
            "(SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)"
        let numbers =
            "(SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n AS i FROM \(digits) a, \(digits) b, \(digits) c, \(digits) d)"
        for statement in [
            """
            INSERT INTO kite_message SELECT 2000 + i, UNHEX(LEFT(SHA2(i, 256), 32)), IF(i % 10 = 0, 0, IF(i % 3 = 0, 2, 1)), 17, i % 5, IF(i % 10 = 0, 0, 7 + i % 4), \
            i, i, 100, 'trade', 'paid', 'p', REPEAT('h', 100), REPEAT('b', 300), NULL FROM \(numbers) x
            """,
            "INSERT INTO kite_delivery (seq, group_name, attempts, due_at, last_error, owner) SELECT 2000 + i, CONCAT('', CHAR(97 + i % 5)), 1, IF(i % 2 = 0, 0, i), NULL, i % 3 FROM \(numbers) x",
            "INSERT INTO kite_transaction SELECT 2000 + i, UNHEX(LEFT(SHA2(i, 256), 32)), i % 4, 0, 2000 + i, 'p', 'p', i FROM \(numbers) x",
            "INSERT INTO kite_route SELECT i, CONCAT('', CHAR(97 + i % 20)), 1 FROM \(numbers) x",
            """
            INSERT INTO kite_dead_letter (seq, message_id, group_name, reason, attempts, died_at, kind, expires_at, published_at, \
            deliver_limit, topic, message_type, publisher_group, header, body) \
            SELECT i, UNHEX(LEFT(SHA2(i, 256), 32)), 'a', 1, 1, 1000 + i, 17, 1, 1, 1, 'trade', 'paid', 'p', REPEAT('h', 100), REPEAT('b', 300) FROM \(numbers) x
            """,
            "INSERT INTO kite_binding SELECT CONCAT('t', i % 50), i, 'a', 'paid', 0, 0, 1 FROM \(numbers) x",
            "INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at, connection_ids) SELECT i, 'n', 'a', IF(i < 100, 1, 0), i, i, NULL FROM \(numbers) x WHERE i < 200",
            "INSERT IGNORE INTO kite_presence SELECT CONCAT('g', i), 100 + i % 50, 1 FROM \(numbers) x WHERE i < 1000",
            "INSERT INTO kite_group SELECT CONCAT('g', i), i, 'p', 'r' FROM \(numbers) x WHERE i < 500",
            "INSERT INTO kite_sample SELECT 300000 * (i DIV 20), 'n', CONCAT('t', i % 20), 1, 1, 1, 1, 1 FROM \(numbers) x",
            "INSERT INTO kite_audit (at, actor, role, remote, action, target, detail, outcome) SELECT i, 'p', 'operate', 'r', 'a', 't', '{}', 'done' FROM \(numbers) x",
        ] { try connection.simple(statement) }
        for table in [
            "message", "delivery", "transaction", "route", "dead_letter", "binding", "incarnation", "presence",
            "group", "sample", "audit",
        ] {
            _ = try connection.simpleRows("ANALYZE TABLE kite_\(table)")
        }
    }
}
