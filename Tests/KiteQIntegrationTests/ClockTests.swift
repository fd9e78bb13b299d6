import Foundation
import KiteQ
import LocalServers
import MariaDB
import Testing

extension WholeBrokerTests {
    /// Brokers whose machine has a wrong clock.
    @Suite struct ClockTests {}
}

extension WholeBrokerTests.ClockTests {
    private struct NotNow: Error {}

    private static let now = "CAST(UNIX_TIMESTAMP(UTC_TIMESTAMP(3)) * 1000 AS SIGNED)"
    private static let day = 86_400_000
    private static let bindings: KeyValuePairs = ["s-away": "away", "s-member": "paid", "s-tx": "tx"]
    private static let options = ["recovery.interval=200ms", "transactions.first_check=2s"]

    /// What lies in the store when a broker comes: for a group that is away a message that lives for 7 days and one whose time
    /// is over, a dead letter of yesterday and one of 1970.
    private static func put(into database: Database) async throws {
        let columns = "message_id, kind, expires_at, published_at, deliver_limit, topic, message_type, publisher_group"
        let rest = "17, %, \(now), 100, 'trade', 'away', 'p-pay'"
        var statements: [String] = ["USE \(database.name)_0"]
        for (seq, expiry) in [(1, "\(now) + \(7 * day)"), (2, "\(now) - 1")] {
            statements.append(
                """
                INSERT INTO kite_message (seq, state, owner, route, \(columns), header, body) \
                VALUES (\(seq), 2, 0, -1, UNHEX(MD5(\(seq))), \(rest.replacing("%", with: expiry)), '', '')
                """)
            statements.append(
                """
                INSERT INTO kite_delivery (seq, group_name, attempts, due_at, owner) VALUES (\(seq), 's-away', 0, 0, 0)
                """)
        }
        for (seq, died) in [(3, "\(now) - \(day)"), (4, "1000")] {
            statements.append(
                """
                INSERT INTO kite_dead_letter (seq, group_name, reason, attempts, died_at, \(columns), header, body) \
                VALUES (\(seq), 's-gone', 1, 9, \(died), UNHEX(MD5(\(seq))), \
                \(rest.replacing("%", with: "\(now)")), '', '')
                """)
        }
        let all = statements
        try await database.connected(nil) { connection in
            for statement in all { try connection.simple(statement) }
        }
    }

    /// A column less the server's time, of all rows of a table, in milliseconds.
    private static func distances(
        _ column: String, _ table: String, where condition: String = "TRUE", _ database: Database
    ) async throws -> [Int] {
        try await database.rows("SELECT CAST(\(column) - \(now) AS SIGNED) FROM \(table) WHERE \(condition)") {
            Int(try $0.int(0))
        }
    }

    @Test(arguments: [31 * 86_400, 8 * 86_400, -3_600])
    func whatIsStoredGoesByTheDatabasesClock(_ lead: Int) async throws {
        let database = try await Database.migrated()
        try await Self.put(into: database)
        let clock = try ShiftedClock(in: LocalServers.temporaryFolder("clock"))
        try clock.set(ahead: .seconds(lead))
        let broker = try ServedBroker(store: database.url(), bindings: Self.bindings, options: Self.options)
        try await broker.start(clock: clock)
        let ledger = Ledger()
        let member = try consumer("s-member", broker.discovery) {
            if ledger.got($0, "s-member") < 4 { throw NotNow() }
        }
        let decided = try consumer("s-tx", broker.discovery, type: "tx") { ledger.got($0, "s-tx") }
        let producer = try Producer(
            .patient("p-pay", broker.discovery), topics: ["trade"], logger: quiet, onTransactionCheck: { _ in .commit })
        try await running([member, decided, producer]) {
            #expect(try await ledger.publish("kept", type: "away", producer) == nil)
            #expect(try await ledger.publish("late", producer) == nil)
            _ = try await producer.prepare(.paid("forgotten", type: "tx"))
            // What it writes is dated by the database.
            for expiry in try await Self.distances("expires_at", "kite_message", where: "seq > 2", database) {
                #expect((6 * Self.day...7 * Self.day + 60_000).contains(expiry))
            }
            for age in try await Self.distances(
                "seq DIV 4194304 + 1577836800000", "kite_message", where: "seq > 2", database)
            {
                #expect((-600_000...60_000).contains(age))
            }
            try await eventually("it waits for its fourth attempt, or had it") {
                ledger.times("late", "s-member") >= 3
            }
            for due in try await Self.distances(
                "due_at", "kite_delivery", where: "group_name = 's-member' AND owner = 0", database)
            {
                #expect((-60_000...60_000).contains(due))
            }
            try await eventually("the retry and the question come, and what is over goes") {
                let buried = try await database.count("kite_dead_letter", where: "seq = 2 AND reason = 2")
                let old = try await database.count("kite_dead_letter", where: "seq = 4")
                return ledger.times("late", "s-member") == 4 && ledger.times("forgotten", "s-tx") == 1
                    && buried == 1 && old == 0
            }
            for died in try await Self.distances("died_at", "kite_dead_letter", where: "seq = 2", database) {
                #expect((-600_000...60_000).contains(died))
            }
        }
        let readiness = try #require(try await broker.readiness())
        #expect(readiness.hasPrefix("ready\n"))
        #expect(
            readiness.contains("clock")
                && readiness.contains(lead < 0 ? "60 min behind" : "\(lead / 86_400) days ahead"))
        #expect(await broker.stop() == nil)

        // Somebody sets the clock right.
        try await broker.start()
        #expect(try await broker.readiness() == "ready\n")
        let away = try consumer("s-away", broker.discovery, type: "away") { ledger.got($0, "s-away") }
        try await running([away]) {
            try await eventually("what waited is there") { ledger.times("kept", "s-away") == 1 }
        }
        #expect(await broker.stop() == nil)
        let dead = try await database.rows("SELECT seq FROM kite_dead_letter ORDER BY seq") { try $0.int(0) }
        #expect(dead == [2, 3], "yesterday's letter is kept, and nothing else died")
    }

    /// A broker that had a clock ahead, and went by it, has left its times in the rows.
    @Test func whatAWrongClockHasWrittenIsNotWaitedFor() async throws {
        let database = try await Database.migrated()
        let broker = try ServedBroker(store: database.url(), bindings: Self.bindings, options: Self.options)
        try await broker.start()
        let (ledger, mended) = (Ledger(), Gate())
        let member = try consumer("s-member", broker.discovery) {
            if ledger.got($0, "s-member") < 4 || !mended.isOpen { throw NotNow() }
        }
        let decided = try consumer("s-tx", broker.discovery, type: "tx") { ledger.got($0, "s-tx") }
        let publishing = try Producer(.patient("p-pay", broker.discovery), topics: ["trade"], logger: quiet)
        try await running([member, publishing]) {
            #expect(try await ledger.publish("late", publishing) == nil)
            _ = try await publishing.prepare(.paid("forgotten", type: "tx"))
            try await eventually("its state is written") {
                try await database.count("kite_delivery", where: "attempts >= 3 AND owner = 0") == 1
            }
        }
        try await database.connected(nil) { connection in
            try connection.simple("USE \(database.name)_0")
            try connection.simple("UPDATE kite_delivery SET due_at = \(Self.now) + 31 * \(Self.day)")
            try connection.simple("UPDATE kite_transaction SET next_check_at = \(Self.now) + 5 * \(Self.day)")
        }
        mended.open()
        let answering = try Producer(
            .patient("p-pay", broker.discovery), topics: ["trade"], logger: quiet, onTransactionCheck: { _ in .commit })
        let again = try consumer("s-member", broker.discovery) {
            if ledger.got($0, "s-member") < 4 || !mended.isOpen { throw NotNow() }
        }
        try await running([again, decided, answering]) {
            try await eventually("both are due") { ledger.times("forgotten", "s-tx") == 1 }
            try await eventually("nothing is left") { try await database.count("kite_message") == 0 }
        }
        #expect(try await database.count("kite_dead_letter") == 0)
        #expect(await broker.stop() == nil)
    }

    @Test func aClockThatIsSetWhileItRunsIsAnIncidentAsLongAsItIsWrong() async throws {
        let database = try await Database.migrated()
        let clock = try ShiftedClock(in: LocalServers.temporaryFolder("clock"))
        let broker = try ServedBroker(
            store: database.url(), bindings: Self.bindings, options: Self.options + ["store.lease=3s"])
        try await broker.start(clock: clock)
        #expect(try await broker.readiness() == "ready\n")
        let ledger = Ledger()
        let producer = try producer(broker.discovery)
        let member = try consumer("s-member", broker.discovery) { ledger.got($0, "s-member") }
        try await running([producer, member]) {
            #expect(try await ledger.publish("kept", type: "away", producer) == nil)
            try clock.set(ahead: .seconds(31 * 86_400))
            try await eventually("it says so") { try await broker.readiness()?.contains("31 days ahead") == true }
            try await Self.put(into: database)
            try await eventually("it goes on") {
                try await database.count("kite_dead_letter", where: "seq = 2") == 1
            }
            #expect(try await ledger.publish("now", producer) == nil)
            try await eventually("it delivers") { ledger.times("now", "s-member") == 1 }
            try clock.set(ahead: .zero)
            try await eventually("it is over") { try await broker.readiness() == "ready\n" }
        }
        #expect(await broker.stop() == nil)
        #expect(try await database.count("kite_message") == 2)
        #expect(try await database.count("kite_dead_letter", where: "seq <> 2 AND seq < 3") == 0)
    }
}
