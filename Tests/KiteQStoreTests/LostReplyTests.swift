import KiteQCore
import MariaDB
import TestSupport
import Testing

@testable import KiteQStore

/// A commit whose reply is lost may have happened or not: what the store then says is what it has read.
@Suite(.timeLimit(.minutes(2))) struct LostReplyTests {
    @Test(arguments: StoreUnderTest.servers, [CuttingProxy.Cut.beforeItsReply, .beforeCommit])
    func whatWasInsertedIsSettledByReading(kind: StoreUnderTest, cut: CuttingProxy.Cut) async throws {
        let direct = try await kind.configuration()
        _ = try await Migrator(direct, logger: quiet).run()
        let proxy = CuttingProxy(server: try await kind.port)
        var configuration = direct
        configuration.shards[0].servers = [.tcp(host: "127.0.0.1", port: try await proxy.start())]
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store async throws in
            _ = try await store.join(as: BrokerIdentity(name: "broker", address: "b:1"))
            var messages = Messages()
            let before = messages.insertion(["a"])
            #expect(try await store.insert([before], shard: 0) == [.stored])
            let batch = [messages.insertion(["a"]), messages.insertion(["a"], before.message), messages.insertion(nil)]
            proxy.arm(cut)
            // The duplicate makes the first attempt fail before its COMMIT: it is the second whose COMMIT is cut.
            let outcomes = try await store.insert(batch, shard: 0)
            #expect(outcomes == [.stored, .duplicate(of: before.seq), .stored])
            #expect(proxy.cutCount == 1)
            #expect(try await store.fresh(of: "a", after: 0, limit: 9) == [before.seq, batch[0].seq])
            #expect(
                try await store.dueTransactions(shard: 0, after: nil, now: 9_000, limit: 9).map(\.seq) == [batch[2].seq]
            )
        }
        try await proxy.stop()
    }

    /// Whoever was declared dead while its reply was lost cannot tell: an heir may have had the messages, and be done with them.
    @Test(arguments: StoreUnderTest.servers) func whoIsDeadDoesNotInsertAgain(kind: StoreUnderTest) async throws {
        let direct = try await kind.configuration()
        _ = try await Migrator(direct, logger: quiet).run()
        let proxy = CuttingProxy(server: try await kind.port)
        var configuration = direct
        configuration.shards[0].servers = [.tcp(host: "127.0.0.1", port: try await proxy.start())]
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store async throws in
            _ = try await store.join(as: BrokerIdentity(name: "broker", address: "b:1"))
            let other = MariaDBPool(direct.shards[0], logger: quiet)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await other.run() }
                defer { tasks.cancelAll() }
                try await other.withConnection { try $0.simple("UPDATE kite_incarnation SET state = 1") }
            }
            var messages = Messages()
            proxy.arm(.beforeCommit)
            do {
                let outcomes = try await store.insert(
                    [messages.insertion(["a"]), messages.insertion(["a"])], shard: 0)
                Issue.record("it said \(outcomes)")
            } catch let error as StoreError {
                #expect(error.code == .fenced && error.isOutcomeUnknown)
            }
            #expect(proxy.cutCount == 1)
            #expect(try await store.fresh(of: "a", after: 0, limit: 9).isEmpty)
        }
        try await proxy.stop()
    }

    /// Row locks that somebody else holds: the batch is tried again, and what they do not touch is not held up for ever.
    @Test(arguments: StoreUnderTest.servers) func aLockThatIsHeldDelaysAndLosesNothing(kind: StoreUnderTest)
        async throws
    {
        let configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        let other = MariaDBPool(configuration.shards[0], logger: quiet)
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store async throws in
            _ = try await store.join(as: BrokerIdentity(name: "broker", address: "b:1"))
            var messages = Messages()
            let all = (0..<4).map { _ in messages.insertion(["a"]) }
            _ = try await store.insert(all, shard: 0)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await other.run() }
                defer { tasks.cancelAll() }
                let held = all[1].seq
                // Longer than innodb_lock_wait_timeout, shorter than the store's patience.
                async let holding: Void = other.withTransaction { connection in
                    _ = try connection.query("SELECT seq FROM kite_message WHERE seq = ? FOR UPDATE", [.int(held)])
                    try connection.simple("DO SLEEP(3)")
                }
                #expect(try await store.settle(all.map { Settlement(seq: $0.seq) }, shard: 0).isEmpty)
                try await holding
            }
            #expect(try await store.load(all.map(\.seq), for: "a", shard: 0).isEmpty)
        }
    }
}
