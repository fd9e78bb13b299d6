import KiteQCore
import MariaDB
import NIOCore
import TestSupport
import Testing

@testable import KiteQStore

/// Giving a message back to the group that did not get it.
@Suite(.timeLimit(.minutes(3))) struct DeadLetterRequeueTests {
    static let servers = StoreUnderTest.servers
    private static let hour: Timestamp = 3_600_000

    private static let deliveries =
        "SELECT seq, group_name, attempts, owner FROM kite_delivery ORDER BY seq, group_name"
    private static let messages = "SELECT seq, state, owner, route FROM kite_message ORDER BY seq"
    private static let left = "SELECT COUNT(*) FROM kite_dead_letter"

    private func expiry(_ database: DeadLetterDatabase, _ seq: Int64 = 9) async throws -> Timestamp {
        try #require(
            Timestamp(try await database.rows("SELECT expires_at FROM kite_message WHERE seq = \(seq)").first ?? ""))
    }

    @Test(arguments: servers) func aMessageThatIsGoneComesBack(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind) { database in
            let message = Messages.message("風箏 \u{0}").with(
                publishedAt: 1_700_000_000_000, expiresAt: 1_700_000_000_000 + 5 * Self.hour,
                extra: ByteBuffer(bytes: [3, 4]))
            let id = try await database.bury([.init(seq: 9, message: message, group: "a")])[0]
            let before = try await database.letters.now()
            #expect(try await database.letters.requeue(id) == .requeued(groups: ["a"]))
            let after = try await database.letters.now()

            #expect(try await database.rows(Self.messages) == ["9|2|0|-1"])
            #expect(try await database.rows(Self.deliveries) == ["9|a|0|0"])
            let due = try await database.rows("SELECT due_at, last_error FROM kite_delivery")[0].split(separator: "|")
            #expect(try (before...after).contains(#require(Timestamp(due[0]))) && due[1] == "-")
            #expect(
                try await (before + 5 * Self.hour...after + 5 * Self.hour).contains(expiry(database)), "its first life")
            #expect(try await database.rows(Self.left) == ["0"])
            let stored = try await database.pools[0].withConnection { connection in
                try connection.query(SQL.load.replacing("%@", with: "9"))[0].message(4, hasBody: true)
            }
            #expect(stored.id == message.id && stored.kind == message.kind && stored.topic == message.topic)
            #expect(stored.messageType == message.messageType && stored.publisherGroup == message.publisherGroup)
            #expect(stored.publishedAt == message.publishedAt && stored.deliverLimit == message.deliverLimit)
            #expect(stored.header == message.header && stored.body == message.body && stored.extra == message.extra)

            #expect(try await database.letters.requeue(id) == .notFound, "a second time changes nothing")
            #expect(try await database.letters.requeue(DeadLetterID(shard: 7, number: 1)) == .notFound)
            #expect(try await database.rows(Self.deliveries) == ["9|a|0|0"])
        }
    }

    @Test(arguments: servers) func othersThatWaitForItKeepWhatTheyHave(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind) { database in
            let message = Messages.message()
            try await database.insert(message, seq: 9, state: .tracked)
            try await database.execute("INSERT INTO kite_delivery VALUES (9, 'b', 3, 0, 'slow', 77)")
            let ids = try await database.bury([
                .init(seq: 9, message: message, group: "a"), .init(seq: 9, message: message, group: "b"),
            ])
            #expect(try await database.letters.requeue(ids[0]) == .requeued(groups: ["a"]))
            #expect(try await database.rows(Self.messages) == ["9|2|42|-1"])
            #expect(try await database.rows(Self.deliveries) == ["9|a|0|0", "9|b|3|77"])
            #expect(try await expiry(database) == message.expiresAt, "it has years")
            #expect(try await database.letters.requeue(ids[1]) == .requeued(groups: ["b"]))
            #expect(
                try await database.rows(Self.deliveries) == ["9|a|0|0", "9|b|3|77"], "a broker may have it in memory")
            #expect(try await database.rows(Self.left) == ["0"])
        }
    }

    @Test(arguments: servers) func anExpiredOneLivesAgain(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind) { database in
            // Ten minutes are less than the hour that a person's work is given at least.
            let first = Messages.message().with(publishedAt: 1_700_000_000_000, expiresAt: 1_700_000_600_000)
            let gone = try await database.bury([.init(seq: 8, message: first, group: "a", reason: .expired)])
            let message = first.with(id: .random())
            try await database.insert(message, seq: 9, state: .tracked)
            let waiting = try await database.bury(
                ["a", "b", "c"].map { .init(seq: 9, message: message, group: $0, reason: .expired) })

            let now = try await database.letters.now()
            #expect(try await database.letters.requeue(gone[0]) == .requeued(groups: ["a"]))
            #expect(try await (now + Self.hour...now + Self.hour + 30_000).contains(expiry(database, 8)))
            #expect(try await database.letters.requeue(waiting[0]) == .requeued(groups: ["a"]))
            #expect(try await (now + Self.hour...now + Self.hour + 30_000).contains(expiry(database)))
            #expect(try await database.letters.requeue(waiting[1], lifetime: .seconds(60)) == .requeued(groups: ["b"]))
            #expect(try await expiry(database) >= now + Self.hour, "never shorter: others wait for it")
            let day = now + 24 * Self.hour
            #expect(
                try await database.letters.requeue(waiting[2], lifetime: .seconds(86_400)) == .requeued(groups: ["c"]))
            #expect(try await (day...day + 30_000).contains(expiry(database)))
        }
    }

    /// Each finds the message gone, and one of them finds the other's row when it writes its own.
    @Test(arguments: servers) func allGroupsOfAMessageAtOnce(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind) { database in
            for seq in Int64(1)...10 {
                let message = Messages.message()
                let ids = try await database.bury((0..<4).map { .init(seq: seq, message: message, group: "g\($0)") })
                try await withThrowingTaskGroup(of: RequeueOutcome.self) { tasks in
                    for id in ids + ids { tasks.addTask { try await database.letters.requeue(id) } }
                    let outcomes = try await tasks.reduce(into: []) { $0.append($1) }
                    #expect(outcomes.count { $0 == .notFound } == 4, "each is requeued once: \(outcomes)")
                }
            }
            #expect(try await database.rows("SELECT COUNT(*) FROM kite_message WHERE state = 2") == ["10"])
            #expect(try await database.rows("SELECT COUNT(*) FROM kite_delivery WHERE owner = 0") == ["40"])
            #expect(try await database.rows(Self.left) == ["0"])
        }
    }

    @Test(arguments: servers) func whatCannotBeGivenBackStays(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind) { database in
            let (fresh, again) = (Messages.message(), Messages.message())
            try await database.insert(fresh, seq: 5, state: .fresh)
            try await database.insert(again, seq: 77, state: .fresh)
            let ids = try await database.bury([
                .init(seq: 5, message: fresh), .init(seq: 6, message: again), .init(seq: 7),
            ])
            for (id, groups, word) in [
                (ids[0], [], "on its way"), (ids[1], [], "published again"), (ids[2], ["b"], "alone"),
            ] {
                guard case .refused(let reason) = try await database.letters.requeue(id, to: groups) else {
                    Issue.record("\(id) was requeued")
                    continue
                }
                #expect(reason.contains(word))
            }
            #expect(try await database.rows(Self.messages) == ["5|1|42|7", "77|1|42|7"])
            #expect(try await database.rows(Self.deliveries).isEmpty)
            #expect(try await database.rows(Self.left) == ["3"])
        }
    }

    // MARK: Undecided half messages

    private static let outcomes = "SELECT seq, outcome FROM kite_transaction ORDER BY seq"

    private func park(_ database: DeadLetterDatabase, _ seq: Int64, topic: String = "trade", outcome: Int = 3)
        async throws
        -> DeadLetterID
    {
        let message = database.message(in: 1, topic: topic)
        try await database.execute(
            "INSERT INTO kite_transaction VALUES (\(seq), UNHEX('\(message.id)'), \(outcome), 15, 1, 'p', 'p', NULL)",
            shard: 1)
        return try await database.bury([.init(shard: 1, seq: seq, message: message, group: "", reason: .undecided)])[0]
    }

    @Test(arguments: servers) func aPersonCommitsForTheProducer(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind, shards: 2) { database in
            let store = MySQLMessageStore(database.configuration, logger: quiet)
            try await running(store) { store in
                try await store.saveBindings(
                    [
                        Binding(group: "b", topic: "trade", messageType: "^p", kind: .regx),
                        Binding(group: "a", topic: "trade", messageType: "paid"),
                        Binding(group: "c", topic: "trade", messageType: "other"),
                    ], topics: ["trade", "empty"])
            }
            let ids = [
                try await park(database, 1), try await park(database, 2), try await park(database, 3, topic: "empty"),
                try await park(database, 4, topic: "unknown"), try await park(database, 5),
            ]
            #expect(try await database.letters.requeue(ids[0]) == .requeued(groups: ["a", "b"]))
            #expect(try await database.letters.requeue(ids[1], to: ["z", "c", "z"]) == .requeued(groups: ["c", "z"]))
            for id in ids[2...3] {
                guard case .refused(let reason) = try await database.letters.requeue(id) else {
                    Issue.record("committed for nobody")
                    continue
                }
                #expect(reason.contains("no group"))
            }
            // What became of it is remembered for an hour only.
            try await database.execute("DELETE FROM kite_transaction WHERE seq = 5", shard: 1)
            #expect(try await database.letters.requeue(ids[4], to: ["a"]) == .requeued(groups: ["a"]))

            #expect(try await database.rows(Self.outcomes, shard: 1) == ["1|1", "2|1", "3|3", "4|3"])
            #expect(try await database.rows(Self.messages, shard: 1) == ["1|2|0|-1", "2|2|0|-1", "5|2|0|-1"])
            #expect(
                try await database.rows(Self.deliveries, shard: 1)
                    == ["1|a|0|0", "1|b|0|0", "2|c|0|0", "2|z|0|0", "5|a|0|0"])
            #expect(try await database.rows(Self.left, shard: 1) == ["2"])
        }
    }

    @Test(arguments: servers) func aDecisionThatWasMadeStands(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind, shards: 2) { database in
            let ids = [try await park(database, 1, outcome: 1), try await park(database, 2, outcome: 2)]
            for (id, word) in zip(ids, ["commit", "roll back"]) {
                guard case .refused(let reason) = try await database.letters.requeue(id, to: ["a"]) else {
                    Issue.record("decided twice")
                    continue
                }
                #expect(reason.contains(word))
            }
            #expect(try await database.letters.delete(ids) == Set(ids))
            #expect(try await database.rows(Self.outcomes, shard: 1) == ["1|1", "2|2"])
        }
    }

    // MARK: Deleting

    @Test(arguments: servers) func whatIsDeletedIsRolledBack(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind, shards: 2) { database in
            let parked = [try await park(database, 1), try await park(database, 2)]
            let other = try await database.bury([.init(shard: 0), .init(shard: 0), .init(shard: 1, seq: 2)])
            let absent = DeadLetterID(shard: 0, number: 99)
            let named = [parked[0], other[0], other[2], absent, DeadLetterID(shard: 5, number: 1)]
            #expect(try await database.letters.delete(named) == [parked[0], other[0], other[2]])
            #expect(
                try await database.rows(Self.outcomes, shard: 1) == ["1|2", "2|3"],
                "the other letter says nothing of it")
            #expect(try await database.letters.letter(other[1]) != nil)
            #expect(try await database.letters.delete(named).isEmpty)
            #expect(try await database.letters.delete([]).isEmpty)
            // Many at once go in lists of a thousand.
            let many = try await database.bury((0..<1_100).map { .init(shard: 0, seq: 100 + Int64($0)) })
            #expect(try await database.letters.delete(many).count == 1_100)
        }
    }

    // MARK: Faults

    @Test(arguments: servers, [CuttingProxy.Cut.beforeItsReply, .beforeCommit])
    func aLostReplyIsSettledByLooking(kind: StoreUnderTest, cut: CuttingProxy.Cut) async throws {
        let proxy = CuttingProxy(server: try await kind.port)
        let port = try await proxy.start()
        try await DeadLetterDatabase.with(kind, through: port) { database in
            let ids = try await database.bury([.init(seq: 9), .init(seq: 10)])
            proxy.arm(cut)
            #expect(try await database.letters.requeue(ids[0]) == .requeued(groups: ["a"]))
            #expect(proxy.cutCount == 1)
            #expect(try await database.rows(Self.messages) == ["9|2|0|-1"])
            #expect(try await database.rows(Self.deliveries) == ["9|a|0|0"])
            proxy.arm(cut)
            #expect(try await database.letters.delete([ids[1]]) == [ids[1]])
            #expect(proxy.cutCount == 2)
            #expect(try await database.rows(Self.left) == ["0"])
        }
        try await proxy.stop()
    }

    /// A broker that settles holds the message's row; whoever requeues waits, and tries again.
    @Test(arguments: servers) func aRowThatIsHeldIsWaitedFor(kind: StoreUnderTest) async throws {
        try await DeadLetterDatabase.with(kind) { database in
            let message = Messages.message()
            try await database.insert(message, seq: 9, state: .tracked)
            try await database.execute("INSERT INTO kite_delivery VALUES (9, 'b', 0, 0, NULL, 42)")
            let id = try await database.bury([.init(seq: 9, message: message)])[0]
            let (locked, lock) = AsyncStream.makeStream(of: Void.self)
            // Longer than innodb_lock_wait_timeout. It ends b's delivery, and with it the message.
            async let broker: Void = database.pools[0].withTransaction { connection in
                _ = try connection.query("SELECT seq FROM kite_message WHERE seq = 9 FOR UPDATE")
                lock.finish()
                try connection.simple("DO SLEEP(3)")
                try connection.simple("DELETE FROM kite_delivery WHERE seq = 9")
                try connection.simple("DELETE FROM kite_message WHERE seq = 9")
            }
            for await _ in locked {}
            #expect(try await database.letters.requeue(id) == .requeued(groups: ["a"]))
            try await broker
            #expect(try await database.rows(Self.messages) == ["9|2|0|-1"])
            #expect(try await database.rows(Self.deliveries) == ["9|a|0|0"])
        }
    }
}
