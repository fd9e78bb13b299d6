import Foundation
import LocalServers
import MariaDB
import TestSupport
import Testing

@testable import KiteQStore

/// What statements read and lock is what they are asked for, whatever deleted rows lie in the indexes and whatever the statistics say.
@Suite(.timeLimit(.minutes(15)), .serialized) struct EmptiedTablesTests {
    /// Pages that a statement may read: some dives into an index and the optimizer's own, and for each row that it finds or is given
    /// by key its page, its places in the indexes, and its undo.
    private struct Allowance {
        var pages: Int
        var rows: Int

        init(_ item: ExplainTests.Case, list size: Int, found: Int) {
            let keys = item.hasList ? max(size, found) : found
            let isChange = !item.sql.hasPrefix("SELECT") || item.sql.contains("FOR UPDATE")
            pages = (item.isBuffered ? 400 : 40) + keys * (isChange ? 30 : 12)
            // A message has three deliveries here.
            rows = 6 * keys + 20
        }
    }

    private struct Cost: CustomStringConvertible {
        var pages: Int
        var rows: Int
        var found: Int
        var description: String { "\(pages) pages, \(rows) rows read, \(found) found" }
    }

    /// A server of its own, for a page that anybody reads counts.
    @Test(arguments: StoreUnderTest.servers) func noStatementReadsDeletedRows(kind: StoreUnderTest) async throws {
        try await kind.withServerOfItsOwn { configuration in
            _ = try await Migrator(configuration, logger: quiet).run()
            try await running(MariaDBPool(configuration.shards[0], logger: quiet)) { pool in
                try await pool.withConnection { try EmptiedTables.make($0) }
                try await pool.whileOpen(EmptiedTables.snapshot) {
                    try await pool.withConnection { connection in
                        try EmptiedTables.empty(connection)
                        try EmptiedTables.analyze(connection)
                        try Self.settings(connection)
                        for item in ExplainTests.all where !item.isFromHead {
                            for size in item.hasList ? [4, 384] : [4] { try Self.check(item, size, kind, connection) }
                        }
                    }
                    try await Self.expectNoWaits(kind, "emptied", pool)
                }
            }
        }
    }

    /// Where a table has a few rows, to read all of it looks cheap, and meets whatever somebody has in there.
    @Test(arguments: StoreUnderTest.servers) func noStatementWaitsForAnotherOnesRows(kind: StoreUnderTest) async throws
    {
        let configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        try await running(MariaDBPool(configuration.shards[0], logger: quiet)) { pool in
            // Empty first; then a few rows that the statistics know of.
            try await pool.withConnection { try EmptiedTables.analyze($0) }
            try await Self.expectNoWaits(kind, "empty", pool)
            for rows in [3, 60] {
                try await pool.withConnection { connection in
                    try EmptiedTables.few(rows, connection)
                    try EmptiedTables.analyze(connection)
                }
                try await Self.expectNoWaits(kind, "\(rows) rows", pool)
            }
        }
    }

    private static func settings(_ connection: isolated MariaDBConnection) throws {
        try connection.simple("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        try connection.simple("SET SESSION eq_range_index_dive_limit = 200")
        // MySQL's shortest; MariaDB's 0 does not wait at all.
        try connection.simple("SET SESSION innodb_lock_wait_timeout = 1")
        try connection.simple("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'")
    }

    private static func check(
        _ item: ExplainTests.Case, _ size: Int, _ kind: StoreUnderTest, _ connection: isolated MariaDBConnection
    ) throws {
        let text = item.text(item.marked ?? item.values, list: size)
        var cost = try cost(of: text, on: connection)
        var allowance = Allowance(item, list: size, found: cost.found)
        // The server itself reads pages, too, after so many changes most of all.
        for _ in 0..<20 where cost.pages > allowance.pages {
            cost = try Self.cost(of: text, on: connection)
            allowance = Allowance(item, list: size, found: cost.found)
        }
        let plan = try ExplainTests.plan(text, on: connection)
        print("\(kind) \(item.name) \(size): \(cost); \(plan)")
        #expect(cost.pages <= allowance.pages && cost.rows <= allowance.rows, "\(kind): \(item.name), \(size): \(cost)")
        for line in plan {
            #expect(line.type != "ALL" && line.type != "index", "\(kind): \(item.name), \(size): \(line)")
        }
    }

    /// Of one execution, taken back.
    private static func cost(of sql: String, on connection: isolated MariaDBConnection) throws -> Cost {
        func sum(_ status: String) throws -> Int {
            try connection.simpleRows("SHOW \(status)").reduce(0) { try $0 + (Int($1.text(1)) ?? 0) }
        }
        try connection.begin()
        let pages = try sum("GLOBAL STATUS LIKE 'Innodb_buffer_pool_read_requests'")
        let rows = try sum("SESSION STATUS LIKE 'Handler_read%'")
        let found =
            sql.hasPrefix("SELECT")
            ? try connection.simpleRows(sql).count : try connection.execute(sql).affectedRows
        let rowsRead = try sum("SESSION STATUS LIKE 'Handler_read%'") - rows
        let pagesRead = try sum("GLOBAL STATUS LIKE 'Innodb_buffer_pool_read_requests'") - pages
        try connection.rollback()
        return Cost(pages: pagesRead, rows: rowsRead, found: found)
    }

    /// Beside rows of a transaction that is open, each statement that locks is run with lists of all kinds of lengths.
    private static func expectNoWaits(_ kind: StoreUnderTest, _ tables: String, _ pool: MariaDBPool) async throws {
        try await pool.whileOpen(EmptiedTables.open, end: "ROLLBACK") {
            try await pool.withConnection { connection in
                try settings(connection)
                for item in ExplainTests.all where item.mayWait {
                    for size in item.hasList ? [4, 16, 64, 384, Ladder.mostValues] : [4] {
                        let text = item.text(item.marked ?? item.values, list: size)
                        try connection.begin()
                        do {
                            if text.hasPrefix("SELECT") {
                                _ = try connection.simpleRows(text)
                            } else {
                                _ = try connection.execute(text)
                            }
                        } catch let error as MariaDBError where error.isLockWaitTimeout {
                            Issue.record("\(kind), \(tables): \(item.name) waits with a list of \(size)")
                            try connection.rollback()
                            break
                        }
                        try connection.rollback()
                    }
                }
            }
        }
    }
}
