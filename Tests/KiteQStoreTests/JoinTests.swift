import KiteQCore
import LocalServers
import MariaDB
import Testing

@testable import KiteQStore

/// How brokers become lives of their own: by name, by tag, and with the shards that are there.
@Suite(.timeLimit(.minutes(3))) struct JoinTests {
    static let broker = BrokerIdentity(name: "broker", address: "127.0.0.1:1")

    func migrated(
        _ kind: StoreUnderTest, shards: Int = 1, lease: Duration = .seconds(10)
    ) async throws -> MySQLStoreConfiguration {
        var configuration = try await kind.configuration(shards: shards)
        configuration.lease = lease
        configuration.waitTimeout = .seconds(1)
        _ = try await Migrator(configuration, logger: quiet).run()
        return configuration
    }

    func root<Result: Sendable>(
        _ configuration: MySQLStoreConfiguration, shard: Int = 0,
        _ body: @escaping @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> Result {
        let pool = MariaDBPool(configuration.shards[shard], logger: quiet)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pool.run() }
            defer { tasks.cancelAll() }
            return try await pool.withConnection(body)
        }
    }

    func numbers(_ configuration: MySQLStoreConfiguration, shard: Int = 0) async throws -> [Int64] {
        try await root(configuration, shard: shard) { db in
            try db.simpleRows("SELECT number FROM kite_incarnation WHERE state = 0 ORDER BY number").map {
                try $0.int(0)
            }
        }
    }

    // MARK: Tags

    @Test(arguments: StoreUnderTest.servers) func brokersThatJoinAtOnceHaveTagsOfTheirOwn(kind: StoreUnderTest)
        async throws
    {
        let configuration = try await migrated(kind, shards: 2)
        // All tags but forty are taken, so that those who join at once draw the same ones.
        for shard in 0..<2 {
            try await root(configuration, shard: shard) { db in
                let rows = (0..<4_056).map { "(\($0), 'other \($0)', 'a', 0, 1, 1)" }.joined(separator: ",")
                try db.simple(
                    "INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at) VALUES \(rows)"
                )
            }
        }
        let joined = try await withThrowingTaskGroup(of: Int64.self) { tasks in
            for number in 0..<12 {
                tasks.addTask {
                    let store = MySQLMessageStore(configuration, logger: quiet)
                    return try await withThrowingTaskGroup(of: Void.self) { run in
                        run.addTask { try await store.run() }
                        defer { run.cancelAll() }
                        return try await store.join(
                            as: BrokerIdentity(name: "b\(number)", address: "a:1"), takingOver: false
                        ).incarnation
                    }
                }
            }
            return try await tasks.reduce(into: [Int64]()) { $0.append($1) }
        }
        #expect(Set(joined.map { SequenceGenerator.tag(of: $0) }).count == 12)
        #expect(joined.allSatisfy { SequenceGenerator.tag(of: $0) >= 4_056 })
        for shard in 0..<2 {
            let (all, tags) = try await root(configuration, shard: shard) { db in
                let row = try db.simpleRows("SELECT COUNT(*), COUNT(DISTINCT number & 4095) FROM kite_incarnation")[0]
                return (try row.int(0), try row.int(1))
            }
            #expect(all == 4_056 + 12 && tags == all, "whoever did not get it has left no row")
        }
    }

    @Test(arguments: StoreUnderTest.servers) func aVersionThatDoesNotLookIsRefusedByTheKey(kind: StoreUnderTest)
        async throws
    {
        let configuration = try await migrated(kind)
        try await root(configuration) { db in
            let insert = "INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at) VALUES "
            try db.simple(insert + "(5, 'one', 'a:1', 0, 1, 1)")
            do {
                try db.simple(insert + "(4101, 'two', 'a:2', 0, 1, 1)")
                Issue.record("two lives of one tag")
            } catch let error as MariaDBError {
                #expect(error.code == 1062)
            }
        }
    }

    @Test(arguments: StoreUnderTest.servers) func whereAllTagsAreTakenThoseOfNobodyAreFreed(kind: StoreUnderTest)
        async throws
    {
        let configuration = try await migrated(kind)
        // All have ended; the oldest has left a message, the next one a delivery.
        try await root(configuration) { db in
            let rows = (0..<4_096).map { "(\($0), 'broker', 'a', 1, 1, 1)" }.joined(separator: ",")
            try db.simple(
                "INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at) VALUES \(rows)")
            try db.simple(
                "INSERT INTO kite_message VALUES (1, UNHEX('00000000000000000000000000000001'), 1, 17, 0, 5, 9, 9, 9, 't', 'm', 'p', '', '', NULL)"
            )
            try db.simple("UPDATE kite_message SET owner = 1")
            try db.simple(
                "INSERT INTO kite_delivery (seq, group_name, attempts, due_at, owner) VALUES (2, 'g', 0, 0, 2)")
            try db.simple("DELETE FROM kite_incarnation WHERE number = 0")
            try db.simple(
                "INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at) VALUES (4096, 'alive', 'a', 0, 1, 1)"
            )
        }
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
            let entry = try await store.join(as: Self.broker, takingOver: false)
            #expect(entry.incarnation > 4_096)
            let left = try await root(configuration) { db in
                try db.simpleRows("SELECT number FROM kite_incarnation WHERE number <= 4096 ORDER BY number").map {
                    try $0.int(0)
                }
            }
            #expect(
                left.prefix(3) == [1, 2, 67] && left.contains(4_096), "the oldest, without those that left something")
        }
        // And where none can be freed, a sentence says so.
        try await root(configuration) { db in
            try db.simple("DELETE FROM kite_incarnation")
            let rows = (0..<4_096).map { "(\($0), 'other', 'a', 0, 1, 1)" }.joined(separator: ",")
            try db.simple(
                "INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at) VALUES \(rows)")
        }
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
            let error = await #expect(throws: StoreError.self) {
                _ = try await store.join(as: Self.broker, takingOver: false)
            }
            #expect(error?.message.contains("remembers 4096 lives") == true, "\(String(describing: error))")
        }
    }

    @Test(arguments: StoreUnderTest.servers) func livesThatAgreedBeforeAreToldApart(kind: StoreUnderTest) async throws {
        let configuration = try await migrated(kind)
        try await root(configuration) { db in
            try db.simple("ALTER TABLE kite_incarnation DROP KEY by_tag, DROP COLUMN tag")
            try db.simple("DELETE FROM kite_migration WHERE version = 4")
            let insert = "INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at) VALUES "
            // Of one tag: an ended one and two living; of another: two ended.
            try db.simple(insert + "(1, 'a', 'a', 1, 1, 1), (4097, 'b', 'a', 0, 1, 1), (8193, 'c', 'a', 0, 1, 1)")
            try db.simple(insert + "(2, 'a', 'a', 1, 1, 1), (4098, 'a', 'a', 2, 1, 1), (3, 'd', 'a', 0, 1, 1)")
            try db.simple(insert + "(4099, 'd', 'a', 1, 1, 1)")
            try db.simple("INSERT INTO kite_presence VALUES ('g', 1, 1), ('g', 8193, 1)")
        }
        let error = await #expect(throws: StoreError.self) {
            try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
                _ = try await store.join(as: Self.broker, takingOver: false)
            }
        }
        #expect(error?.code == .notMigrated)
        _ = try await Migrator(configuration, logger: quiet).run()
        let (lives, presence) = try await root(configuration) { db in
            (
                try db.simpleRows("SELECT number FROM kite_incarnation ORDER BY number").map { try $0.int(0) },
                try db.simpleRows("SELECT incarnation FROM kite_presence").map { try $0.int(0) }
            )
        }
        #expect(lives == [3, 4_098, 8_193] && presence == [8_193])
    }

    /// A version that did not keep what a half message was about: its rows are told by their groups, and the broker says what it misses.
    @Test(arguments: StoreUnderTest.servers) func halfMessagesOfBeforeGoOn(kind: StoreUnderTest) async throws {
        let configuration = try await migrated(kind)
        let id: @Sendable (Int) -> String = { String(repeating: "\($0)", count: 32) }
        try await root(configuration) { db in
            try db.simple("ALTER TABLE kite_transaction DROP COLUMN subject")
            try db.simple("DELETE FROM kite_migration WHERE version = 5")
            let values = "'p-pay', 'p-connection')"
            try db.simple("INSERT INTO kite_transaction VALUES (1, UNHEX('\(id(1))'), 1, 0, 9, \(values)")
            try db.simple("INSERT INTO kite_transaction VALUES (2, UNHEX('\(id(2))'), 0, 0, 9, \(values)")
            try db.simple(
                "INSERT INTO kite_message VALUES (2, UNHEX('\(id(2))'), 0, 18, 1, 0, 4000000000000, 9, 9, 'trade', 'paid', 'p-pay', 'h', 'body', NULL)"
            )
        }
        let error = await #expect(throws: StoreError.self) {
            try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
                _ = try await store.join(as: Self.broker, takingOver: false)
            }
        }
        #expect(error?.code == .notMigrated)
        for _ in 0..<2 { _ = try await Migrator(configuration, logger: quiet).run() }
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
            _ = try await store.join(as: Self.broker, takingOver: false)
            var messages = Messages()
            func half(_ digit: Int) -> Insertion {
                messages.insertion(nil, Messages.message().with(id: MessageID(id(digit))))
            }
            #expect(
                try await store.insert([half(1), half(2)], shard: 0) == [.committedBefore, .duplicate(of: 2)])
            var stranger = half(1)
            stranger.connectionGroup = "p-other"
            #expect(try await store.insert([stranger], shard: 0) == [.taken(.otherMessage)])
            let answer = TransactionDecision(
                messageID: try #require(MessageID(id(2))), answer: .rollBack, connectionGroup: "p-connection",
                trustsHeader: false, needsContent: false)
            guard case .rolledBack = try await store.decide([answer], shard: 0, route: { _, _ in nil })[0] else {
                Issue.record("it was not rolled back")
                return
            }
        }
    }

    @Test(arguments: StoreUnderTest.servers) func aNewLifeCountsOnFromWhatIsThere(kind: StoreUnderTest) async throws {
        let configuration = try await migrated(kind, shards: 2)
        let ahead = SequenceGenerator.smallest(at: StoreClock.wall() + 3_600_000)
        let absurd = SequenceGenerator.smallest(at: StoreClock.wall() + 400 * 86_400_000)
        try await root(configuration, shard: 1) { db in
            for (seq, id) in [(ahead, 1), (absurd, 2)] {
                try db.simple(
                    "INSERT INTO kite_message VALUES (\(seq), UNHEX('0000000000000000000000000000000\(id)'), 1, 17, 1, 5, 9, 9, 9, 't', 'm', 'p', '', '', NULL)"
                )
            }
        }
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
            let entry = try await store.join(as: Self.broker, takingOver: false)
            #expect(entry.floor == ahead)
        }
    }

    // MARK: Names

    @Test(arguments: StoreUnderTest.available) func aNameThatIsAtWorkIsNotHad(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, open async throws in
            let renewing = Task {
                while !Task.isCancelled {
                    try await store.renewLease(shard: 0)
                    try await Task.sleep(for: .milliseconds(300))
                }
            }
            try await running(open()) { other in
                let error = await #expect(throws: StoreError.self) {
                    _ = try await other.join(as: Self.broker, takingOver: false)
                }
                #expect(error?.code == .nameTaken)
                #expect(
                    error?.message.contains("--take-over") == true && error?.message.contains("127.0.0.1:1") == true)
                try await store.renewLease(shard: 0)
                renewing.cancel()
                _ = await renewing.result
                _ = try await other.join(as: Self.broker, takingOver: true)
                let fenced = await #expect(throws: StoreError.self) { try await store.renewLease(shard: 0) }
                #expect(fenced?.code == .fenced)
            }
        }
    }

    /// A crashed broker's name is had at once where the server has none of its connections, and else after its lease.
    @Test(arguments: StoreUnderTest.servers, [true, false])
    func aNameThatACrashLeftIsHad(kind: StoreUnderTest, isGone: Bool) async throws {
        let configuration = try await migrated(kind, lease: isGone ? .seconds(600) : .seconds(2))
        let crashed = MySQLMessageStore(configuration, logger: quiet)
        let life = Task { try await crashed.run() }
        let number = try await crashed.join(as: Self.broker, takingOver: false).incarnation
        try await crashed.renewLease(shard: 0)
        if isGone {
            // As if it had never said goodbye.
            crashed.shards[0].incarnation = 0
            life.cancel()
            _ = await life.result
        }
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
            let heir = try await store.join(as: Self.broker, takingOver: false).incarnation
            #expect(heir > number)
            #expect(try await numbers(configuration) == [heir])
        }
        life.cancel()
        _ = await life.result
    }

    /// Its own earlier life is no stranger.
    @Test(arguments: StoreUnderTest.available) func whoJoinsAnewNeedNotWaitForItself(kind: StoreUnderTest) async throws
    {
        try await kind.withStore { store, _ async throws in
            try await store.renewLease(shard: 0)
            let next = try await store.join(as: Self.broker, takingOver: false).incarnation
            try await store.renewLease(shard: 0)
            #expect(try await store.join(as: Self.broker, takingOver: false).incarnation > next)
        }
    }

    @Test(arguments: StoreUnderTest.servers) func ofTwoThatJoinAtOnceUnderANameOneHasIt(kind: StoreUnderTest)
        async throws
    {
        let configuration = try await migrated(kind, lease: .seconds(3))
        let outcomes = await withTaskGroup(of: Bool.self) { tasks in
            let isOver = Signal<Bool>()
            for _ in 0..<2 {
                tasks.addTask {
                    let store = MySQLMessageStore(configuration, logger: quiet)
                    let life = Task { try await store.run() }
                    defer { life.cancel() }
                    do {
                        _ = try await store.join(as: Self.broker, takingOver: false)
                        while !isOver.isSent {
                            try await store.renewLease(shard: 0)
                            try await Task.sleep(for: .milliseconds(200))
                        }
                        return true
                    } catch let error as StoreError {
                        isOver.send(true)
                        #expect(error.code == .nameTaken, "\(error)")
                        return false
                    } catch {
                        Issue.record(error)
                        return false
                    }
                }
            }
            return await tasks.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(outcomes.sorted { !$0 && $1 } == [false, true])
    }
}
