import KiteQCore
import MariaDB
import NIOCore
import Testing

@testable import KiteQStore

/// A database that is put back to an earlier state under a running broker, or loses rows, while the server stays the same.
@Suite(.timeLimit(.minutes(3))) struct PutBackTests {
    static let servers = StoreUnderTest.servers
    private static let broker = BrokerIdentity(name: "broker", address: "127.0.0.1:1")

    private struct Fixture: Sendable {
        var store: MySQLMessageStore
        var open: @Sendable () -> MySQLMessageStore
        let pools: [MariaDBPool]

        func execute(_ statements: String..., shard: Int = 0) async throws {
            try await pools[shard].withConnection { connection in
                for statement in statements { try connection.simple(statement) }
            }
        }

        func rows(_ query: String, shard: Int = 0) async throws -> [String] {
            try await pools[shard].withConnection { connection in
                try connection.simpleRows(query).map { row in
                    try row.values.indices.map { try row.text($0) }.joined(separator: " ")
                }
            }
        }

        /// What is gone at one look is written at the next: a dump may be being played back.
        func check(shard: Int = 0, bindings: [Binding] = []) async throws -> MemoryCheck {
            #expect(try await store.checkMemory(shard: shard) { bindings }.routesWritten == 0)
            return try await store.checkMemory(shard: shard) { bindings }
        }
    }

    private func with(
        _ kind: StoreUnderTest, shards: Int = 1, _ body: @escaping @Sendable (Fixture) async throws -> Void
    ) async throws {
        let configuration = try await kind.configuration(shards: shards)
        _ = try await Migrator(configuration, logger: quiet).run()
        let open: @Sendable () -> MySQLMessageStore = { MySQLMessageStore(configuration, logger: quiet) }
        let store = open()
        let pools = configuration.shards.map { MariaDBPool($0, logger: quiet) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for pool in pools { tasks.addTask { await pool.run() } }
            tasks.addTask { try await store.run() }
            defer { tasks.cancelAll() }
            _ = try await store.join(as: Self.broker)
            try await body(Fixture(store: store, open: open, pools: pools))
        }
    }

    private static let routes = "SELECT route_id, group_name, persistent FROM kite_route ORDER BY route_id, group_name"

    // MARK: Routes

    @Test(arguments: servers) func routesThatAreGoneAreWrittenAgain(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture in
            let store = fixture.store
            var messages = Messages()
            let batch = [["a"], ["a", "b"], ["c"]].map { messages.insertion($0) }
            _ = try await store.insert(batch, shard: 0)
            let before = try await fixture.rows(Self.routes)
            #expect(try await fixture.check() == MemoryCheck())

            try await fixture.execute("DELETE FROM kite_route")
            #expect(try await store.fresh(of: "a", after: 0, limit: 9).isEmpty)
            let late = messages.insertion(["a", "b"])
            #expect(try await store.insert([late], shard: 0) == [.stored], "its route is remembered")
            let check = try await fixture.check()
            #expect(check.routesWritten >= 3 && check.mustReread && check.unknownRoutes.isEmpty)
            #expect(try await fixture.rows(Self.routes) == before)
            #expect(
                try await store.fresh(of: "a", after: 0, limit: 9) == [batch[0].seq, batch[1].seq, late.seq])
            #expect(try await fixture.check() == MemoryCheck())
        }
    }

    /// One of its groups would get nothing, and nobody would see it.
    @Test(
        arguments: servers,
        [
            "DELETE FROM kite_route WHERE group_name = 'b'",
            "UPDATE kite_route SET persistent = 0 WHERE group_name = 'b'",
            "INSERT INTO kite_route SELECT DISTINCT route_id, 'stranger', 1 FROM kite_route",
        ]) func routesThatAreNotWholeAreMended(kind: StoreUnderTest, damage: String) async throws
    {
        try await with(kind) { fixture in
            var messages = Messages()
            let insertion = messages.insertion(["a", "b"])
            _ = try await fixture.store.insert([insertion], shard: 0)
            let before = try await fixture.rows(Self.routes)
            try await fixture.execute(damage)
            // Who has not met it before does not take the rows for it.
            let other = fixture.open()
            try await running(other) { _ in
                _ = try await other.join(as: Self.broker)
                for group in ["a", "b", "stranger"] {
                    #expect(try await other.fresh(of: group, after: 0, limit: 9).isEmpty)
                }
                #expect(try await other.load([insertion.seq], for: "a", shard: 0).isEmpty)
                #expect(other.shards[0].unknownRoutes == [Route(insertion.route!.members).id])
            }
            #expect(try await fixture.check().routesWritten == 1)
            #expect(try await fixture.rows(Self.routes) == before)
        }
    }

    /// With more routes than a look takes, one that is gone makes all of them be looked at.
    @Test(arguments: servers) func manyRoutes(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture in
            var messages = Messages()
            let batch = (0..<600).map { messages.insertion(["group \($0)", "all"]) }
            _ = try await fixture.store.insert(batch, shard: 0)
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_route") == ["1200"])
            try await fixture.execute("TRUNCATE kite_route")
            #expect(try await fixture.check().routesWritten >= 600)
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_route") == ["1200"])
            try await fixture.execute("DELETE FROM kite_route WHERE group_name = 'group 300'")
            var written = 0
            for _ in 0..<6 { written += try await fixture.store.checkMemory(shard: 0) { [] }.routesWritten }
            #expect(written == 1, "each is looked at in its turn")
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_route") == ["1200"])
        }
    }

    /// A broker that has not met the route, for it was started since: another shard, or the bindings, tell its groups.
    @Test(arguments: servers) func aRouteThatOnlyOthersKnow(kind: StoreUnderTest) async throws {
        try await with(kind, shards: 2) { fixture in
            var messages = Messages()
            let (first, second) = (messages.insertion(["a", "b"]), messages.insertion(["c", "d"]))
            _ = try await fixture.store.insert([first, second], shard: 0)
            _ = try await fixture.store.insert([messages.insertion(["a", "b"])], shard: 1)
            let before = try await fixture.rows(Self.routes)
            try await fixture.execute("DELETE FROM kite_route")
            let other = fixture.open()
            try await running(other) { _ in
                _ = try await other.join(as: Self.broker)
                let bindings = ["c", "d", "e"].map { Binding(group: $0, topic: "trade", messageType: "paid") }
                let check = try await other.checkMemory(shard: 0) { bindings }
                #expect(check.routesWritten == 2 && check.unknownRoutes.isEmpty && check.mustReread)
                #expect(try await fixture.rows(Self.routes) == before)
                #expect(try await other.fresh(of: "d", after: 0, limit: 9) == [second.seq])
            }
        }
    }

    @Test(arguments: servers) func messagesWhoseGroupsNobodyKnowsAreNotStuck(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture in
            var messages = Messages()
            let mortal = Messages.message().with(expiresAt: 1_000)
            let (lost, good) = (messages.insertion(["a"], mortal), messages.insertion(["b"]))
            _ = try await fixture.store.insert([lost, good], shard: 0)
            try await fixture.execute("DELETE FROM kite_route WHERE group_name = 'a'")
            let other = fixture.open()
            try await running(other) { _ in
                _ = try await other.join(as: Self.broker)
                let id = lost.route!.id
                #expect(try await other.checkMemory(shard: 0) { [] }.unknownRoutes == [id])
                #expect(await other.shardReports()[0].unknownRoutes == [id])
                // The others are not held up.
                #expect(try await other.load([lost.seq, good.seq], for: "b", shard: 0).map(\.seq) == [good.seq])
                #expect(try await other.survey(shard: 0, now: 9).abandoned.keys.sorted() == [])
                // Its time ends it, with a letter of no group, which a person gives to groups.
                let (expired, _) = try await other.expiredFresh(shard: 0, after: nil, now: 2_000, limit: 100)
                #expect(expired.isEmpty)
                #expect(
                    try await fixture.rows("SELECT seq, group_name, reason FROM kite_dead_letter") == [
                        "\(lost.seq)  2"
                    ])
                #expect(try await fixture.rows("SELECT seq FROM kite_message") == ["\(good.seq)"])
                _ = try await other.checkMemory(shard: 0) { [] }
                #expect(await other.shardReports()[0].unknownRoutes.isEmpty)
                let letters = other.letters
                let letter = try #require(try await letters.list(DeadLetterFilter(), limit: 9).letters.first)
                #expect(
                    try await letters.requeue(letter.id)
                        == .refused("no group is known to be bound to trade/paid; name those that are to get it"))
                #expect(try await letters.requeue(letter.id, to: ["a", "x"]) == .requeued(groups: ["a", "x"]))
                #expect(try await other.load([lost.seq], for: "x", shard: 0).map(\.seq) == [lost.seq])
            }
        }
    }

    /// As docs/restore.md has it.
    @Test(arguments: servers) func messagesOfAnUnknownRouteAreGivenToGroupsByHand(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture in
            var messages = Messages()
            let lost = messages.insertion(["a"])
            _ = try await fixture.store.insert([lost], shard: 0)
            try await fixture.execute("DELETE FROM kite_route")
            let id = lost.route!.id
            try await fixture.execute(
                "START TRANSACTION",
                "INSERT INTO kite_delivery (seq, group_name, attempts, due_at, owner) SELECT seq, 'x', 0, 1, 0 FROM kite_message WHERE route = \(id) AND state = 1",
                "UPDATE kite_message SET state = 2, route = -1, owner = 0 WHERE route = \(id) AND state = 1",
                "COMMIT")
            #expect(try await fixture.store.load([lost.seq], for: "x", shard: 0).map(\.state) == [.tracked])
            let done = Settlement(seq: lost.seq, wasTracked: true, done: ["x"])
            #expect(try await fixture.store.settle([done], shard: 0).isEmpty)
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_message") == ["0"])
        }
    }

    // MARK: What else is remembered

    @Test(arguments: servers) func presenceAndBindingsAreWrittenAgain(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture in
            let store = fixture.store
            let bindings = [Binding(group: "a", topic: "trade", messageType: "paid")]
            try await store.setPresence(["a", "b"], shard: 0)
            try await store.saveBindings(bindings, topics: ["trade", "feed"])
            #expect(try await fixture.check() == MemoryCheck())
            try await fixture.execute("DELETE FROM kite_presence", "DELETE FROM kite_binding")
            #expect(try await fixture.check().mustReread)
            #expect(try await store.savedBindings(topics: ["trade"]) == bindings)
            #expect(try await store.savedBindings(topics: ["feed"]) == [])
            try await store.setPresence(["a", "b"], shard: 0)
            #expect(
                try await fixture.rows("SELECT group_name FROM kite_presence ORDER BY group_name") == ["a", "b"])
            // Another broker's word is not taken back.
            try await fixture.execute("UPDATE kite_binding SET group_name = 'newer' WHERE number = 1")
            #expect(try await fixture.check() == MemoryCheck())
            #expect(try await store.savedBindings(topics: ["trade"])?.map(\.group) == ["newer"])
        }
    }

    @Test(arguments: servers) func aLeaseThatIsOlderThanWhatWasWrittenEndsTheLife(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture in
            let store = fixture.store
            try await store.renewLease(shard: 0)
            try await store.renewLease(shard: 0)
            // One that is newer is a renewal whose reply was lost.
            try await fixture.execute("UPDATE kite_incarnation SET lease_until = lease_until + 1")
            try await store.renewLease(shard: 0)
            try await fixture.execute("UPDATE kite_incarnation SET lease_until = lease_until - 500")
            var error = await #expect(throws: StoreError.self) { try await store.renewLease(shard: 0) }
            #expect(error?.code == .unavailable, "a server that took over may be behind for a moment")
            error = await #expect(throws: StoreError.self) { try await store.renewLease(shard: 0) }
            #expect(error?.code == .fenced && error?.message.contains("put back") == true)
            _ = try await store.join(as: Self.broker)
            try await store.renewLease(shard: 0)
            // A row that is gone says the same at once.
            try await fixture.execute("DELETE FROM kite_incarnation")
            error = await #expect(throws: StoreError.self) { try await store.renewLease(shard: 0) }
            #expect(error?.code == .fenced)
        }
    }

    @Test(arguments: servers) func tablesThatWereMadeAnewAreReadAgain(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture in
            #expect(try await fixture.check() == MemoryCheck())
            // CREATE_TIME has seconds.
            let made =
                "SELECT MAX(CREATE_TIME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kite_message'"
            let before = try await fixture.rows(made)
            try await eventually {
                try await fixture.execute(
                    "CREATE TABLE copy LIKE kite_message", "DROP TABLE kite_message",
                    "RENAME TABLE copy TO kite_message")
                return try await fixture.rows(made) != before
            }
            #expect(try await fixture.store.checkMemory(shard: 0) { [] }.mustReread)
            #expect(try await fixture.check() == MemoryCheck())
        }
    }

    // MARK: What was read in between

    /// While a dump is played back its tables are locked, or not there: a look may fail after it has seen what is new.
    @Test(arguments: servers) func whatALookSawIsKeptUntilOneSucceeds(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture in
            let store = fixture.store
            try await store.setPresence(["a"], shard: 0)
            try await store.saveBindings([], topics: ["trade"])
            #expect(try await fixture.check() == MemoryCheck())
            try await fixture.execute("DELETE FROM kite_presence")
            #expect(try await store.checkMemory(shard: 0) { [] } == MemoryCheck())
            try await fixture.execute("RENAME TABLE kite_binding TO away")
            await #expect(throws: StoreError.self) { try await store.checkMemory(shard: 0) { [] } }
            await #expect(throws: StoreError.self) { try await store.checkMemory(shard: 0) { [] } }
            try await fixture.execute("RENAME TABLE away TO kite_binding")
            #expect(try await store.checkMemory(shard: 0) { [] }.mustReread)
            #expect(try await fixture.check() == MemoryCheck())
        }
    }

    /// The first broker to look writes the routes again; what the others read before that lacks their messages, too.
    @Test(arguments: servers) func whoFindsRoutesMendedReadsAgain(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture in
            var messages = Messages()
            let other = fixture.open()
            try await running(other) { _ in
                _ = try await other.join(as: BrokerIdentity(name: "other", address: "127.0.0.1:2"))
                for store in [fixture.store, other] {
                    _ = try await store.insert([messages.insertion(["a"])], shard: 0)
                    #expect(try await store.checkMemory(shard: 0) { [] } == MemoryCheck())
                }
                try await fixture.execute("DELETE FROM kite_route")
                for store in [fixture.store, other] {
                    #expect(try await store.checkMemory(shard: 0) { [] } == MemoryCheck())
                }
                let first = try await fixture.store.checkMemory(shard: 0) { [] }
                #expect(first.routesWritten == 1 && first.mustReread)
                #expect(try await other.checkMemory(shard: 0) { [] } == MemoryCheck(mustReread: true))
                for store in [fixture.store, other] {
                    #expect(try await store.checkMemory(shard: 0) { [] } == MemoryCheck(), "once is enough")
                }
            }
        }
    }

    /// Between a renewal's look at its row and its statement, too.
    @Test(arguments: servers) func aRenewalDoesNotBlessARowThatWasPutBack(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture in
            let number = fixture.store.shards[0].incarnation
            let renewed = try await fixture.pools[0].withConnection { db in
                let found = try db.query(SQL.leaseOf, [.int(number)])[0].int(0)
                try db.simple("UPDATE kite_incarnation SET lease_until = lease_until - 1")
                return try [found, found - 1].map { found in
                    try db.execute(SQL.renew, [.int(1_000_000), .text("1:2"), .int(number), .int(found)]).affectedRows
                }
            }
            #expect(renewed == [0, 1])
        }
    }
}
