import KiteQCore
import LocalServers
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

    /// A server that took over and has yet to apply the last commits does not have what was stored. That it refuses the repetition too,
    /// for whatever reason, does not make it certain that nothing is stored.
    @Test(arguments: [1290, 1205, 1406, 3100]) func whatAServerThatIsBehindLacksMayBeStored(refusal: Int) async throws {
        let servers = try (0..<2).map { _ in
            try LocalMariaDB(dataDirectory: try LocalServers.temporaryFolder("mariadb"))
        }
        for server in servers { try await server.start() }
        let proxy = CuttingProxy(server: servers[0].port)
        let address = MariaDBConfiguration.Server.tcp(host: "127.0.0.1", port: try await proxy.start())
        func configuration(_ address: MariaDBConfiguration.Server) -> MySQLStoreConfiguration {
            MySQLStoreConfiguration(
                shards: [MariaDBConfiguration(servers: [address], user: "root", password: "", database: "kite_0")])
        }
        for server in servers {
            _ = try await Migrator(configuration(.tcp(host: "127.0.0.1", port: server.port)), logger: quiet).run()
        }
        let behind = MariaDBPool(
            configuration(.tcp(host: "127.0.0.1", port: servers[1].port)).shards[0], logger: quiet)
        try await running(behind) { behind in
            try await running(MySQLMessageStore(configuration(address), logger: quiet)) { store async throws in
                let number = try await store.join(as: BrokerIdentity(name: "broker", address: "b:1"))
                try await behind.withConnection { connection in
                    try connection.simple(
                        "INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at) VALUES (\(number), 'broker', 'b:1', 0, 1, 1)"
                    )
                    try connection.simple(
                        "CREATE TRIGGER refuse BEFORE INSERT ON kite_message FOR EACH ROW SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = \(refusal), MESSAGE_TEXT = 'refused'"
                    )
                }
                var messages = Messages()
                #expect(try await store.insert([messages.insertion(nil)], shard: 0) == [.stored])
                // New connections lead to the one that is behind; the open one goes on until its reply is lost.
                proxy.lead(to: servers[1].port)
                proxy.arm(.beforeItsReply)
                let batch = [messages.insertion(["a"]), messages.insertion(nil)]
                let route = try #require(batch[0].route)
                try await behind.withConnection {
                    _ = try $0.execute(
                        "INSERT INTO kite_route (route_id, group_name, persistent) VALUES (?, 'a', 1)", [.int(route.id)]
                    )
                }
                do {
                    for outcome in try await store.insert(batch, shard: 0) {
                        #expect(outcome.mayBeStored, "\(outcome)")
                    }
                } catch let error as StoreError {
                    #expect(error.isOutcomeUnknown, "\(error)")
                }
                #expect(proxy.cutCount == 1)
                // It is applied there in the end. That it was looked for before does not hide it.
                #expect(try await store.fresh(of: "a", after: 0, limit: 9).isEmpty)
                try await behind.withConnection { connection in
                    try connection.simple("DROP TRIGGER refuse")
                    try connection.insert(into: SQL.insertMessages, MessageRows.batch([batch[0]], owner: number))
                }
                #expect(try await store.fresh(of: "a", after: 0, limit: 9) == [batch[0].seq])
            }
        }
        try await proxy.stop()
        for server in servers { await server.stop() }
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
