import KiteQCore
import MariaDB
import NIOCore
import Testing

@testable import KiteQStore

/// Looking at dead letters: by pages, by filters, whole.
@Suite(.timeLimit(.minutes(3))) struct DeadLetterListTests {
    static let servers = StoreUnderTest.servers

    /// Rows of several shards, groups, topics and reasons, many of them of the same moment.
    private func rows(in database: DeadLetterDatabase, count: Int) -> [DeadLetterDatabase.Row] {
        (0..<count).map { i in
            let reason = DeadLetterReason.allCases[i % 7 == 0 ? 2 : i % 2]
            return DeadLetterDatabase.Row(
                shard: i % 5 % 3, message: database.message(in: i % 5 % 3, topic: i % 4 == 0 ? "feed" : "trade"),
                group: reason == .undecided ? "" : i % 3 == 0 ? "a" : "b", reason: reason,
                diedAt: 1_000_000 + Int64(i / 4))
        }
    }

    private static let filters: [DeadLetterFilter] = {
        var filters: [DeadLetterFilter] = []
        for group in [nil, "a", "nobody"] as [String?] {
            for topic in [nil, "feed"] as [String?] {
                for reasons in [Set(DeadLetterReason.allCases), [.expired], [.undecided], [.expired, .attemptsUsedUp]] {
                    for (from, before) in [(nil, nil), (1_000_010, nil), (nil, 1_000_020), (1_000_010, 1_000_020)]
                        as [(Timestamp?, Timestamp?)]
                    {
                        var filter = DeadLetterFilter()
                        (filter.group, filter.topic, filter.reasons) = (group, topic, reasons)
                        (filter.diedFrom, filter.diedBefore) = (from, before)
                        filters.append(filter)
                    }
                }
            }
        }
        return filters
    }()

    @Test(arguments: servers) func everyFilterFindsItsLettersOnceAndOldestFirst(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind, shards: 3) { database in
            let rows = rows(in: database, count: 140)
            let ids = try await database.bury(rows)
            #expect(try await database.letters.list(DeadLetterFilter(), limit: 500).next == nil)
            for filter in Self.filters {
                let wanted = zip(ids, rows).filter { _, row in
                    (filter.group ?? row.group) == row.group && (filter.topic ?? row.message.topic) == row.message.topic
                        && filter.reasons.contains(row.reason) && row.diedAt >= filter.diedFrom ?? 0
                        && row.diedAt < filter.diedBefore ?? .max
                }.sorted { ($0.1.diedAt, $0.0.shard, $0.0.number) < ($1.1.diedAt, $1.0.shard, $1.0.number) }
                for limit in [1, 7, 500] where limit > 1 || filter.group == "a" {
                    let found = try await database.all(filter, limit: limit)
                    #expect(found.map(\.id) == wanted.map(\.0), "\(filter), pages of \(limit)")
                }
            }
        }
    }

    /// Nothing that a filter asks for makes a page read more than its share.
    @Test(arguments: servers) func aPageReadsABoundedNumberOfRows(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind) { database in
            try await fill(database, count: 20_000)
            var rare = DeadLetterFilter()
            rare.topic = "rare"
            rare.group = "a"
            let page = try await database.letters.list(rare, limit: 10)
            #expect(page.letters.isEmpty && page.next != nil, "it read its share, found none, and says so")
            #expect(try await database.all(rare, limit: 10).map(\.topic) == ["rare"])

            let statements: [(String, [MariaDBValue])] = [
                (DeadLetterSQL.byGroup, [.text("a"), 1, 9_000, 100]),
                (DeadLetterSQL.byTopic, [.text("trade"), 1, 9_000, 100]),
                // All of the same moment: the half of the key that is the id bounds it.
                (DeadLetterSQL.byTime, [.int(5_000), 9_000, .int(5_000), .int(Int64.max), 100]),
                (DeadLetterSQL.byMessage, [.bytes(Array(repeating: 9, count: 16)), 100]),
            ]
            for (sql, values) in statements {
                let (found, read) = try await database.pools[0].withConnection { connection in
                    _ = try connection.query(sql, values)
                    let before = try Self.rowsRead(on: connection)
                    let found = try connection.query(sql, values).count
                    return (found, try Self.rowsRead(on: connection) - before)
                }
                #expect(found == (sql == DeadLetterSQL.byMessage ? 0 : 100))
                #expect((found...110).contains(Int(read)), "\(kind): \(read) rows for 100 by \(sql.suffix(60))")
            }
        }
    }

    /// Keys and rows that this connection's statements went to; asking costs none of a table.
    private static func rowsRead(on connection: isolated MariaDBConnection) throws -> Int64 {
        try connection.simpleRows(
            "SHOW SESSION STATUS WHERE Variable_name IN ('Handler_read_first', 'Handler_read_key', 'Handler_read_next', 'Handler_read_prev', 'Handler_read_rnd')"
        ).reduce(0) { try $0 + ($1.int(1)) }
    }

    private func fill(_ database: DeadLetterDatabase, count: Int) async throws {
        let digits =
            "(SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)"
        try await database.execute(
            """
            INSERT INTO kite_dead_letter (seq, message_id, group_name, reason, attempts, died_at, kind, expires_at, published_at, \
            deliver_limit, topic, message_type, publisher_group, header, body) \
            SELECT i, UNHEX(LEFT(SHA2(i, 256), 32)), 'a', 1, 1, 5000, 17, 1, 1, 1, IF(i = 17000, 'rare', 'trade'), 'paid', 'p', 'h', 'b' \
            FROM (SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS i \
            FROM \(digits) a, \(digits) b, \(digits) c, \(digits) d, (SELECT 0 n UNION SELECT 1) e) x ORDER BY i LIMIT \(count)
            """)
    }

    @Test(arguments: servers) func aLetterIsShownWhole(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind, shards: 3) { database in
            let message = database.message(in: 2, topic: "träde").with(
                kind: .bytes, body: ByteBuffer(bytes: [0, 255, 10]), extra: ByteBuffer(bytes: [1, 2]))
            let plain = database.message(in: 1)
            let ids = try await database.bury([
                .init(shard: 2, seq: 5, message: message, group: "風箏"),
                .init(shard: 2, seq: 5, message: message, group: "b"),
                .init(shard: 1, message: plain, group: "", reason: .undecided),
            ])
            let letter = try #require(try await database.letters.letter(ids[0]))
            #expect(
                letter
                    == DeadLetter(
                        id: ids[0], seq: 5, messageID: message.id, group: "風箏", reason: .attemptsUsedUp, attempts: 7,
                        lastError: "why", diedAt: 1_800_000_000_000, expiresAt: message.expiresAt,
                        publishedAt: message.publishedAt, deliverLimit: 7, kind: .bytes, topic: "träde",
                        messageType: "paid", publisherGroup: "p-pay"))
            let content = try #require(try await database.letters.content(of: ids[0]))
            #expect(content.header == message.header && content.body == message.body && content.extra == message.extra)
            #expect(try await database.letters.content(of: ids[2])?.extra == nil)
            #expect(try await database.letters.letters(of: message.id).map(\.id) == [ids[0], ids[1]])
            #expect(try await database.letters.letters(of: .random()).isEmpty)
            for id in [DeadLetterID(shard: 2, number: 99), DeadLetterID(shard: 3, number: 1)] {
                #expect(try await database.letters.letter(id) == nil)
                #expect(try await database.letters.content(of: id) == nil)
            }
        }
    }

    @Test(arguments: servers) func otherShardsAreNotLookedInto(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind, shards: 3) { database in
            var fewer = database.configuration
            fewer.shards.removeLast()
            await #expect(throws: StoreError.self) {
                try await DeadLetterStore.with(fewer, logger: quiet) { _ = try await $0.now() }
            }
            var filter = DeadLetterFilter()
            filter.group = "a"
            let other = try #require(DeadLetterCursor("1.1,1.1"))
            await #expect(throws: StoreError.self) { try await database.letters.list(filter, after: other, limit: 1) }
            #expect(try await abs(database.letters.now() - StoreClock.wall()) < 60_000)
        }
    }

    @Test func idsAndCursorsAreReadAsTheyAreWritten() {
        #expect(DeadLetterID("12:345") == DeadLetterID(shard: 12, number: 345))
        for text in ["", ":", "1", "1:", ":1", "256:1", "-1:1", "1:-1", "1:2:3", "1:99999999999999999999", "+1:1"] {
            #expect(DeadLetterID(text) == nil, "\(text)")
        }
        for text in ["", "1", "1.2,", "1.2.3", "-1.2", "a.b"] { #expect(DeadLetterCursor(text) == nil, "\(text)") }
        #expect(DeadLetterCursor("0.0,17.4")?.description == "0.0,17.4")
    }
}
