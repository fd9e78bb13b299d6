import KiteQCore
import MariaDB
import Synchronization
import TestSupport
import Testing

@testable import KiteQStore

/// Another session has locked what an insert meets: rows, room for rows, or all tables. The insert ends while the lock is held,
/// and what it does not concern is stored.
@Suite(.timeLimit(.minutes(3))) struct InsertLockTests {
    @Test(arguments: StoreUnderTest.servers) func rowsDelayThemselvesAlone(kind: StoreUnderTest) async throws {
        try await withStore(kind) { store, other in
            var messages = Messages()
            let stored = (0..<200).map { _ in messages.insertion(["a"]) }
            #expect(try await store.insert(stored, shard: 0).allSatisfy { $0 == .stored })
            let again = stored.map { messages.insertion(["a"], $0.message) }
            let others = (0..<20).map { _ in messages.insertion(["a"]) }
            let batch = (again + others).shuffled()
            let list = stored.map { "x'\($0.message.id)'" }.joined(separator: ",")
            let rows = "SELECT seq FROM kite_message FORCE INDEX (by_id) WHERE message_id IN (\(list)) FOR UPDATE"
            try await other.whileOpen(rows) {
                for _ in 0..<2 {
                    let outcomes = try await store.insert(batch, shard: 0, deadline: .now + .seconds(60))
                    let locked = Set(again.map(\.seq))
                    for (insertion, outcome) in zip(batch, outcomes) {
                        if locked.contains(insertion.seq) {
                            guard case .notYet = outcome else {
                                Issue.record("\(outcome)")
                                return
                            }
                        } else {
                            #expect(outcome == .stored)
                        }
                    }
                }
            }
            #expect(
                try await store.insert(again, shard: 0) == stored.map { Insertion.Outcome.duplicate(of: $0.seq) })
            #expect(try await store.fresh(of: "a", after: 0, limit: 1_000).count == 220)
        }
    }

    /// Ids that are in no row that can be read: somebody else's insert is open.
    @Test(arguments: StoreUnderTest.servers) func rowsThatAreAboutToBeThere(kind: StoreUnderTest) async throws {
        try await withStore(kind) { store, other in
            var messages = Messages()
            let mine = (0..<30).map { _ in messages.insertion(["a"]) }
            let values = mine.prefix(10).enumerated().map { number, insertion in
                "(\(number + 1), x'\(insertion.message.id)', 1, 18, 1, 1, 0, 0, 1, 't', 'm', 'p', '', '')"
            }
            let insert = """
                INSERT INTO kite_message (seq, message_id, state, kind, owner, route, expires_at, published_at, deliver_limit, \
                topic, message_type, publisher_group, header, body) VALUES \(values.joined(separator: ","))
                """
            try await other.whileOpen(insert, end: "ROLLBACK") {
                let outcomes = try await store.insert(mine, shard: 0, deadline: .now + .seconds(60))
                #expect(outcomes.dropFirst(10).allSatisfy { $0 == .stored })
                for outcome in outcomes.prefix(10) {
                    guard case .notYet = outcome else {
                        Issue.record("\(outcome)")
                        return
                    }
                }
            }
            #expect(try await store.insert(mine, shard: 0).allSatisfy { $0 == .stored })
        }
    }

    @Test(arguments: StoreUnderTest.servers) func allTablesAreLocked(kind: StoreUnderTest) async throws {
        try await withStore(kind) { store, other in
            var messages = Messages()
            let batch = (0..<40).map { $0 % 3 == 0 ? messages.insertion(nil) : messages.insertion(["a"]) }
            _ = try await store.insert([messages.insertion(["a"])], shard: 0)
            try await other.whileOpen("FLUSH TABLES WITH READ LOCK", end: "UNLOCK TABLES") {
                try await expectNothingStored(batch, in: store)
            }
            #expect(try await store.insert(batch, shard: 0).allSatisfy { $0 == .stored })
        }
    }

    @Test(arguments: StoreUnderTest.servers) func aChangeOfTheTableWaits(kind: StoreUnderTest) async throws {
        try await withStore(kind) { store, other in
            var messages = Messages()
            let batch = (0..<40).map { $0 % 3 == 0 ? messages.insertion(nil) : messages.insertion(["a"]) }
            _ = try await store.insert([messages.insertion(["a"])], shard: 0)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                try await other.whileOpen("SELECT seq FROM kite_message") {
                    tasks.addTask {
                        try await other.withConnection { try $0.simple("ALTER TABLE kite_message COMMENT = 'changed'") }
                    }
                    try await eventually {
                        try await other.withConnection { connection in
                            try connection.simpleRows("SHOW PROCESSLIST").contains { row in
                                try row.values[6] != .null && row.text(6).contains("metadata lock")
                            }
                        }
                    }
                    try await expectNothingStored(batch, in: store)
                }
                try await tasks.waitForAll()
            }
            try await eventually { try await store.insert(batch, shard: 0).allSatisfy { $0 == .stored } }
        }
    }

    /// It says so, within the time and without a doubt.
    private func expectNothingStored(_ batch: [Insertion], in store: any MessageStore) async throws {
        do {
            for outcome in try await store.insert(batch, shard: 0, deadline: .now + .seconds(2)) {
                guard case .notYet = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
            }
        } catch let error as StoreError {
            #expect(error.isTemporary && !error.isOutcomeUnknown, "\(error)")
        }
    }

    /// A session whose connection was lost in the middle of a transaction goes on holding its locks, for the server has not
    /// noticed: it is ended by whoever comes next.
    @Test(arguments: StoreUnderTest.servers) func aLostSessionLetsGoOfItsLocks(kind: StoreUnderTest) async throws {
        var configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        let direct = configuration.shards[0]
        let proxy = CuttingProxy(server: try await kind.port)
        configuration.shards[0].servers = [.tcp(host: "127.0.0.1", port: try await proxy.start())]
        configuration.shards[0].readTimeout = .seconds(1)
        configuration.shards[0].sessionStatements = []
        let shard = Shard(number: 0, configuration: configuration, logger: quiet)
        try await running(MariaDBPool(direct, logger: quiet)) { other in
            try await running(shard.pool) { _ in
                let began = Mutex<UInt64>(0)
                let lost = Task {
                    try await shard.run(until: .now + .seconds(2)) { connection in
                        try connection.transaction {
                            try connection.simple("UPDATE kite_slot SET version = version + 1 WHERE slot = 7")
                            began.withLock { $0 = connection.threadID }
                            try connection.simple("DO SLEEP(0.5)")
                            try connection.simple("DO SLEEP(0)")
                        }
                    }
                }
                try await eventually { began.withLock { $0 } != 0 }
                try await proxy.fallSilent()
                await #expect(throws: StoreError.self) { try await lost.value }
                let thread = began.withLock { $0 }
                #expect(shard.lostSessions.withLock { $0.map(\.id) } == [thread])
                try await proxy.speak()
                try await eventually {
                    do {
                        try await shard.run { try $0.ping() }
                        return true
                    } catch let error as StoreError where error.code == .unavailable {
                        return false
                    }
                }
                #expect(shard.lostSessions.withLock { $0.isEmpty })
                // Its lock is free: without a limit of the server's own, it would be held for eight hours.
                try await eventually {
                    try await other.withConnection { connection in
                        do {
                            _ = try connection.simpleRows("SELECT slot FROM kite_slot WHERE slot = 7 FOR UPDATE NOWAIT")
                            return true
                        } catch let error as MariaDBError where error.isLockWaitTimeout {
                            return false
                        }
                    }
                }
            }
        }
        try await proxy.stop()
    }

    // MARK: Around

    /// Answers to half messages, in both halves of a batch, whose rows somebody has locked.
    @Test(arguments: StoreUnderTest.servers) func lockedHalfMessagesDelayThemselvesAlone(kind: StoreUnderTest)
        async throws
    {
        try await withStore(kind) { store, other in
            var messages = Messages()
            let halves = (0..<8).map { _ in messages.insertion(nil) }
            #expect(try await store.insert(halves, shard: 0).allSatisfy { $0 == .stored })
            let decisions = (halves + [halves[1]]).map {
                TransactionDecision(
                    messageID: $0.message.id, answer: .rollBack, connectionGroup: "p-pay", needsContent: false)
            }
            let list = [1, 6].map { "x'\(halves[$0].message.id)'" }.joined(separator: ",")
            let rows = "SELECT seq FROM kite_transaction WHERE message_id IN (\(list)) FOR UPDATE"
            func places(_ outcomes: [TransactionDecision.Outcome]) -> [Int] {
                outcomes.indices.filter { if case .rolledBack = outcomes[$0] { false } else { true } }
            }
            try await other.whileOpen(rows) {
                let outcomes = try await store.decide(decisions, shard: 0) { _, _ in nil }
                #expect(places(outcomes) == [1, 6, 8])
                for place in places(outcomes) {
                    guard case .notYet = outcomes[place] else {
                        Issue.record("\(outcomes[place])")
                        return
                    }
                }
            }
            let left = [1, 6].map { decisions[$0] }
            #expect(places(try await store.decide(left, shard: 0) { _, _ in nil }).isEmpty)
        }
    }

    private func withStore(
        _ kind: StoreUnderTest, _ body: @escaping @Sendable (any MessageStore, MariaDBPool) async throws -> Void
    ) async throws {
        let configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        try await running(MariaDBPool(configuration.shards[0], logger: quiet)) { other in
            try await running(MySQLMessageStore(configuration, logger: quiet)) { store async throws in
                _ = try await store.join(as: BrokerIdentity(name: "broker", address: "b:1"))
                try await body(store, other)
            }
        }
    }
}

extension MariaDBPool {
    /// Runs `body` while a session of this pool has run a statement in a transaction, and not ended it.
    func whileOpen(_ statement: String, end: String = "COMMIT", _ body: () async throws -> Void) async throws {
        // Rows are locked, and no room between them.
        try await whileOpen(
            ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION", statement], end: end, body)
    }

    /// The same with what the session is to begin with.
    func whileOpen(_ statements: [String], end: String = "COMMIT", _ body: () async throws -> Void) async throws {
        let (begun, done) = (Signal<Bool>(), Signal<Void>())
        async let holding: Void = withConnection { connection in
            do {
                for statement in statements { _ = try connection.simpleRows(statement) }
            } catch {
                begun.send(false)
                throw error
            }
            begun.send(true)
            // A server ends a session that is silent in a transaction for long.
            while done.wait(within: 5) == nil { _ = try connection.simpleRows("SELECT 1") }
            try connection.simple(end)
            try connection.rollback()
        }
        guard await begun.value() == true else { return try await holding }
        do {
            try await body()
        } catch {
            done.send(())
            throw error
        }
        done.send(())
        try await holding
    }
}
