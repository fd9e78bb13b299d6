import KiteQCore
import MariaDB
import Testing

@testable import KiteQStore

@Suite(.timeLimit(.minutes(2))) struct MigratorTests {
    static let servers = StoreUnderTest.servers
    private static let all = Migration.all.map(\.name)

    @Test(arguments: servers) func runningAgainChangesNothing(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration(shards: 2)
        let first = try await Migrator(configuration, logger: quiet).run()
        #expect(first.map(\.applied) == [Self.all, Self.all])
        #expect(try await Migrator(configuration, logger: quiet).run().allSatisfy { $0.applied.isEmpty })
    }

    @Test(arguments: servers) func twoAtOnceDoItOnce(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration()
        async let one = Migrator(configuration, logger: quiet).run()
        async let two = Migrator(configuration, logger: quiet).run()
        let applied = try await (one + two).flatMap(\.applied)
        #expect(applied == Self.all)
    }

    @Test(arguments: servers) func oneThatDiedInTheMiddleIsFinished(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration()
        let whole = Migration.all[0]
        let half = whole.statements.prefix(4).map { $0 + ";" }.joined(separator: "\n") + "\nSELECT broken;\n"
        let broken = Migration(version: 1, name: whole.name, sql: half)
        await #expect(throws: StoreError.self) {
            _ = try await Migrator(configuration, migrations: [broken], logger: quiet).run()
        }
        #expect(try await Migrator(configuration, logger: quiet).run()[0].applied == Self.all)
    }

    @Test(arguments: servers) func whatDoesNotFitIsRefused(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration(shards: 2)
        _ = try await Migrator(configuration, logger: quiet).run()
        let edited = Migration(version: 1, name: "0001_schema.sql", sql: "SELECT 1;")
        let error = await #expect(throws: StoreError.self) {
            _ = try await Migrator(configuration, migrations: [edited] + Migration.all.dropFirst(), logger: quiet).run()
        }
        #expect(error?.message.contains("changed after it was applied") == true)
        var fewer = configuration
        fewer.shards.removeLast()
        let one = fewer
        await #expect(throws: StoreError.self) { _ = try await Migrator(one, logger: quiet).run() }
        try await running(MySQLMessageStore(one, logger: quiet)) { store async throws in
            let refused = await #expect(throws: StoreError.self) {
                _ = try await store.join(as: BrokerIdentity(name: "b", address: "b:1"))
            }
            #expect(refused?.code == .notMigrated)
        }
    }

    @Test(arguments: servers) func anEmptyServerIsToldOf(kind: StoreUnderTest) async throws {
        var configuration = try await kind.configuration()
        configuration.waitTimeout = .seconds(1)
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store async throws in
            await #expect(throws: StoreError.self) {
                _ = try await store.join(as: BrokerIdentity(name: "b", address: "b:1"))
            }
        }
    }

    /// What docs/install-on-a-cluster.md tells a DBA: the script by hand, and a user that may do no more than it must.
    @Test(arguments: servers) func theScriptAndTheLeastPrivilegesSuffice(kind: StoreUnderTest) async throws {
        let root = try await kind.configuration()
        let database = try #require(root.shards[0].database)
        let user = "kite\(UInt32.random(in: .min ... .max))"
        var server = root.shards[0]
        server.database = nil
        let pool = MariaDBPool(server, logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pool.run() }
            defer { tasks.cancelAll() }
            var asUser = root
            asUser.shards[0].user = user
            asUser.shards[0].password = "secret"
            let script = Migrator(asUser, logger: quiet).script()
            try await pool.withConnection { connection in
                try connection.simple("CREATE USER '\(user)'@'%' IDENTIFIED BY 'secret'")
                for statement in Migration(version: 0, name: "script", sql: script).statements {
                    try connection.simple(statement)
                }
            }
            #expect(try await Migrator(root, logger: quiet).run()[0].applied.isEmpty, "nothing is left to do")
            try await running(MySQLMessageStore(asUser, logger: quiet)) { store async throws in
                _ = try await store.join(as: BrokerIdentity(name: "b", address: "b:1"))
                var messages = Messages()
                let fresh = messages.insertion(["a"])
                #expect(try await store.insert([fresh, messages.insertion(nil)], shard: 0) == [.stored, .stored])
                #expect(try await store.load([fresh.seq], for: "a", shard: 0).count == 1)
                #expect(
                    try await store.settle(
                        [Settlement(seq: fresh.seq, dead: [.init(group: "a", attempts: 1, reason: .expired)])], shard: 0
                    ).isEmpty)
                try await store.saveBindings([], topics: ["trade"])
                _ = try await store.purge(shard: 0, decidedBefore: .max, deadLettersBefore: .max, limit: 9)
            }
            _ = try await pool.withConnection { try $0.simple("DROP DATABASE \(database)") }
        }
    }
}
