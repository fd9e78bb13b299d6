import Foundation
import KiteQCore
import MariaDB
import TestSupport
import Testing

@testable import KiteQStore

/// The operators' side where it meets real servers: silent ones, large tables, a user with few privileges.
@Suite(.timeLimit(.minutes(3))) struct OperatorServerTests {
    private func withStore(
        _ configuration: MySQLStoreConfiguration,
        _ body: @escaping @Sendable (MySQLMessageStore) async throws -> Void
    ) async throws {
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
            try await body(try #require(store as? MySQLMessageStore))
        }
    }

    /// The shards that each listing names as missing.
    private static func failures(of store: MySQLMessageStore) async throws -> [String: [Int]] {
        try await withThrowingTaskGroup(of: (String, [ShardFailure]).self) { tasks in
            tasks.addTask { ("brokers", await store.brokers().failures) }
            tasks.addTask {
                let reports = await store.shardReports()
                return (
                    "shards",
                    reports.compactMap { report in
                        #expect((report.failure == nil) == (report.contents != nil))
                        return report.failure.map { ShardFailure(shard: report.shard, reason: $0) }
                    }
                )
            }
            tasks.addTask { ("group", await store.groupReport(of: "a").failures) }
            tasks.addTask { ("groups", await store.groupReports(after: nil, limit: 10).failures) }
            tasks.addTask { ("topics", await store.topicCounts().failures) }
            tasks.addTask {
                let cursor = MessageCursor(.newestFirst, shards: 2)
                return ("messages", try await store.messages(MessageFilter(), after: cursor, limit: 10).failures)
            }
            tasks.addTask { ("transactions", try await store.openTransactions(after: nil, limit: 10).failures) }
            tasks.addTask {
                ("letters", try await store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).failures)
            }
            tasks.addTask { ("letterCount", await store.deadLetterCount(DeadLetterFilter()).failures) }
            var named: [String: [Int]] = [:]
            for try await (name, failures) in tasks {
                named[name] = failures.map(\.shard)
                for failure in failures { #expect(failure.reason.contains("shard 1"), "\(failure.reason)") }
            }
            return named
        }
    }

    @Test(arguments: StoreUnderTest.servers)
    func aSilentShardIsNamedAndTheOthersAnswer(kind: StoreUnderTest) async throws {
        let direct = try await kind.configuration(shards: 2)
        _ = try await Migrator(direct, logger: quiet).run()
        let proxy = CuttingProxy(server: try await kind.port)
        var configuration = direct
        configuration.shards[1].servers = [.tcp(host: "127.0.0.1", port: try await proxy.start())]
        try await withStore(configuration) { store in
            _ = try await store.join(as: BrokerIdentity(name: "broker", address: "127.0.0.1:1"))
            var messages = Messages()
            var message = Messages.message()
            while store.shardMap.shard(of: message.id) != 0 { message = message.with(id: .random()) }
            try await store.put([messages.insertion(["a"], message)])
            let healthy = try await Self.failures(of: store)
            #expect(healthy.count == 9 && healthy.values.allSatisfy(\.isEmpty), "\(healthy)")

            try await proxy.fallSilent()
            let start = ContinuousClock.now
            let silent = try await Self.failures(of: store)
            #expect(silent.count == 9 && silent.values.allSatisfy { $0 == [1] }, "\(silent)")
            #expect(ContinuousClock.now - start < .seconds(10), "all of them at once: \(ContinuousClock.now - start)")
            let page = try await store.messages(
                MessageFilter(), after: MessageCursor(.oldestFirst, shards: 2), limit: 10)
            #expect(page.messages.map(\.id) == [message.id], "what the other shard has")
            #expect(try await store.story(of: message.id)?.message?.id == message.id)
            #expect(store.shards[1].operatorPool.statistics.open <= 2)

            try await proxy.speak()
            try await eventually { try await Self.failures(of: store).values.allSatisfy(\.isEmpty) }
        }
        try await proxy.stop()
    }

    @Test(arguments: StoreUnderTest.servers)
    func operatorsTakeNoConnectionOfTheTraffic(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        try await withStore(configuration) { store in
            try await store.probe(shard: 0)
            let before = store.pools[0].open
            await withTaskGroup(of: Int.self) { tasks in
                for _ in 0..<60 {
                    tasks.addTask {
                        let reports = await store.shardReports()
                        #expect(reports[0].failure == nil)
                        return store.shards[0].operatorPool.statistics.open
                    }
                }
                for await open in tasks { #expect((1...2).contains(open)) }
            }
            #expect(store.pools[0].open == before)
        }
    }

    /// What a broker's own user may do is enough.
    @Test(arguments: StoreUnderTest.servers) func theBrokersPrivilegesDo(kind: StoreUnderTest) async throws {
        let user = "u\(UInt32.random(in: .min ... .max))"
        var configuration = try await kind.configuration(user: user, password: "secret")
        var root = configuration
        (root.shards[0].user, root.shards[0].password) = ("root", "")
        _ = try await Migrator(root, logger: quiet).run()
        let database = try #require(root.shards[0].database)
        try await running(MariaDBPool(root.shards[0], logger: quiet)) { pool in
            try await pool.withConnection { connection in
                try connection.simple("CREATE USER '\(user)'@'%' IDENTIFIED BY 'secret'")
                try connection.simple("GRANT SELECT, INSERT, UPDATE, DELETE ON `\(database)`.* TO '\(user)'@'%'")
            }
        }
        configuration.shards[0].database = database
        try await withStore(configuration) { store in
            _ = try await store.join(as: BrokerIdentity(name: "broker", address: "127.0.0.1:1"))
            var messages = Messages()
            let half = try await store.put([messages.insertion(nil)])[0]
            let report = await store.shardReports()[0]
            #expect(report.failure == nil && report.contents?.half == BoundedCount(1))
            #expect(report.contents?.historyListLength == nil, "it takes PROCESS")
            #expect(report.contents.map { $0.tables.contains { $0.name == "kite_audit" } } == true)
            #expect(!report.database.contains("secret"))
            #expect(
                try await store.decide(half.message.id, .commit, to: [], route: groupA) == .committed(groups: ["a"]))
            #expect(try await store.pause("a", by: "anna", reason: ""))
            #expect(try await store.resume("a"))
            _ = try await store.appendAudit(
                AuditEntry(actor: "a", role: "r", remote: "", action: "x", target: "", outcome: "done"))
            try await store.addSamples([TopicSample(at: 1, broker: "b", topic: "t", counters: TopicCounters())])
            #expect(try await store.purge(shard: 0, decidedBefore: 0, deadLettersBefore: 0, limit: 10) == 1)
        }
    }

    /// More rows than a count goes to, and than a sample takes.
    @Test(arguments: StoreUnderTest.servers) func countsEndAtTheirBounds(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        try await withStore(configuration) { store in
            let number = try await store.join(as: BrokerIdentity(name: "broker", address: "127.0.0.1:1"))
            try await Self.fill(store.shards[0], owner: number)
            let contents = try #require(await store.shardReports()[0].contents)
            #expect(contents.fresh == BoundedCount(100_000, isAtLeast: true))
            #expect(contents.half == BoundedCount(1_000) && contents.tracked == BoundedCount(50_000))
            #expect(contents.deadLetters == BoundedCount(50_000))

            let one = await store.groupReport(of: "a").report
            #expect(one.fresh == BoundedCount(100_000, isAtLeast: true) && one.retrying == BoundedCount(50_000))
            let listed = try #require(await store.groupReports(after: nil, limit: 10).groups.first)
            #expect(listed.fresh == BoundedCount(10_000, isAtLeast: true))
            #expect(listed.retrying == BoundedCount(10_000, isAtLeast: true) && listed.waiting.isAtLeast)
            #expect(listed.deadLetters == BoundedCount(10_000, isAtLeast: true))

            let topics = await store.topicCounts()
            #expect(!topics.isExact && topics.looked == 20_000)
            #expect(topics.counts.map(\.topic).contains("oldest") && topics.counts.map(\.topic).contains("newest"))

            var filter = DeadLetterFilter()
            #expect(await store.deadLetterCount(filter).count == BoundedCount(50_000))
            filter.reasons = [.expired]
            #expect(
                await store.deadLetterCount(filter).count == BoundedCount(0, isAtLeast: true), "looked at one by one")
        }
    }

    /// 101,000 fresh messages for a, 1,000 half ones, 50,000 tracked ones and as many dead letters.
    private static func fill(_ shard: Shard, owner: Int64) async throws {
        let digits = (0..<10).map { "SELECT \($0)\($0 == 0 ? " n" : "")" }.joined(separator: " UNION ALL ")
        let numbers =
            "(SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n AS i FROM "
            + "abcdef".map { "(\(digits)) \($0)" }.joined(separator: ", ") + ") x"
        let route = Route([.init(group: "a", persistent: true)])
        let columns = "'paid', 'p', 'h', 'b', NULL"
        try await shard.ensureRoutes([route])
        for statement in [
            """
            INSERT INTO kite_message (seq, message_id, state, kind, owner, route, expires_at, published_at, deliver_limit, \
            topic, message_type, publisher_group, header, body, extra) \
            SELECT i, UNHEX(LPAD(HEX(i), 32, '0')), CASE WHEN i < 1000 THEN 0 WHEN i < 51000 THEN 2 ELSE 1 END, 17, \
            IF(i < 51000 AND i >= 1000, 0, \(owner)), \
            CASE WHEN i < 1000 THEN 0 WHEN i < 51000 THEN -1 ELSE \(route.id) END, \
            4000000000000, 1, 7, CASE WHEN i < 500 THEN 'oldest' WHEN i > 151900 THEN 'newest' ELSE 'trade' END, \
            \(columns) FROM \(numbers) WHERE i < 152000
            """,
            """
            INSERT INTO kite_delivery (seq, group_name, attempts, due_at, owner) \
            SELECT i, 'a', 1, i, 0 FROM \(numbers) WHERE i >= 1000 AND i < 51000
            """,
            """
            INSERT INTO kite_dead_letter (seq, message_id, group_name, reason, attempts, died_at, kind, expires_at, published_at, \
            deliver_limit, topic, message_type, publisher_group, header, body, extra) \
            SELECT i, UNHEX(LPAD(HEX(i), 32, '0')), 'a', 1, 1, 1000 + i, 17, 1, 1, 1, 'trade', \(columns) \
            FROM \(numbers) WHERE i < 50000
            """,
        ] { try await shard.run { try $0.simple(statement) } }
    }
}
