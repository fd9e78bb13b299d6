import Foundation
import KiteQCore
import LocalServers
import MariaDB
import NIOCore
import Testing

@testable import KiteQStore

/// A server whose binary log takes transactions of 4 MiB at most (error 1197), as group replication and Galera have their
/// limits: what is larger goes in parts, and one message that does not go at all holds up no other.
@Suite(.serialized, .timeLimit(.minutes(3))) struct LargeTransactionTests {
    private static let options = ["--log-bin=log", "--max-binlog-cache-size=4194304", "--max-allowed-packet=64M"]
    private static let groups = ["a", "b", "c", "d", "e", "f", "g", "h"]

    private struct Fixture: Sendable {
        var store: any MessageStore
        var open: @Sendable () -> any MessageStore
        var configuration: MySQLStoreConfiguration
        let pool: MariaDBPool

        func rows(_ query: String) async throws -> [String] {
            try await pool.withConnection { connection in
                try connection.simpleRows(query).map { row in
                    try row.values.indices.map { try row.text($0) }.joined(separator: " ")
                }
            }
        }

        /// How large the largest transaction in the binary log's cache may be is the server's to say: that it refuses at all.
        func refusesLarge() async throws {
            await #expect(throws: MariaDBError.self) {
                try await pool.withConnection { connection in
                    try connection.transaction {
                        try connection.simple("UPDATE kite_message SET owner = owner + 1000000")
                    }
                }
            }
        }
    }

    private func with(
        _ kind: StoreUnderTest, _ body: @escaping @Sendable (Fixture, Messages) async throws -> Void
    ) async throws {
        let folder = try LocalServers.temporaryFolder("large")
        let (port, server) = try await Self.start(kind, folder)
        let configuration = try MySQLStoreURL.configuration("mysql://root@127.0.0.1:\(port)/kite?shards=1")
        _ = try await Migrator(configuration, logger: quiet).run()
        try await running(MariaDBPool(configuration.shards[0], logger: quiet)) { pool in
            let open: @Sendable () -> any MessageStore = { MySQLMessageStore(configuration, logger: quiet) }
            try await running(open()) { store async throws in
                _ = try await store.join(as: BrokerIdentity(name: "broker", address: "b:1"))
                try await body(
                    Fixture(store: store, open: open, configuration: configuration, pool: pool), Messages())
            }
        }
        withExtendedLifetime(server) {}
    }

    private static func start(
        _ kind: StoreUnderTest, _ folder: URL
    ) async throws -> (Int, any Sendable) {
        if kind == .mySQL {
            let server = try LocalMySQL(
                root: try #require(LocalMySQL.root), dataDirectory: folder, options: options)
            try await server.start()
            return (server.port, server)
        }
        let server = try LocalMariaDB(
            dataDirectory: folder, options: options + ["--binlog-format=ROW", "--binlog-annotate-row-events=0"])
        try await server.start()
        return (server.port, server)
    }

    private static func message(_ bytes: Int = 1 << 20, expiresAt: Timestamp? = nil) -> Message {
        Messages.message().with(expiresAt: expiresAt, body: ByteBuffer(repeating: 0x41, count: bytes))
    }

    @Test(arguments: StoreUnderTest.servers) func settlementsGoInParts(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture, messages async throws in
            var messages = messages
            let store = fixture.store
            // All at once is too much.
            let batch = (0..<10).map { _ in messages.insertion(["a"], Self.message()) }
            #expect(try await store.insert(batch, shard: 0).allSatisfy { $0 == .stored })
            try await fixture.refusesLarge()
            #expect(try await store.settle(batch.map { Settlement(seq: $0.seq) }, shard: 0).isEmpty)
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_message") == ["0"])

            // A letter for each of many groups: of a fresh message, and of one that is tracked.
            let fresh = messages.insertion(Self.groups, Self.message())
            let tracked = messages.insertion(Self.groups, Self.message())
            for insertion in [fresh, tracked] {
                #expect(try await store.insert([insertion], shard: 0) == [.stored])
            }
            let held = Self.groups.map { Settlement.Pending(held: $0, attempts: 2) }
            #expect(try await store.settle([Settlement(seq: tracked.seq, pending: held)], shard: 0).isEmpty)
            let dead = Self.groups.map { Settlement.Dead(group: $0, attempts: 3, reason: .attemptsUsedUp) }
            #expect(
                try await store.settle(
                    [
                        Settlement(seq: fresh.seq, dead: dead),
                        Settlement(seq: tracked.seq, wasTracked: true, dead: dead),
                    ], shard: 0
                ).isEmpty)
            let letters = "SELECT seq, COUNT(*), MIN(LENGTH(body)) FROM kite_dead_letter GROUP BY seq ORDER BY seq"
            #expect(
                try await fixture.rows(letters) == ["\(fresh.seq) 8 1048576", "\(tracked.seq) 8 1048576"])
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_message") == ["0"])
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_delivery") == ["0"])

            // They go in parts too.
            let all = try await store.purge(shard: 0, decidedBefore: 0, deadLettersBefore: .max, limit: 500)
            #expect(all == 16)
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_dead_letter") == ["0"])
        }
    }

    @Test(arguments: StoreUnderTest.servers) func oneThatCannotPassHoldsUpNoOther(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture, messages async throws in
            var messages = messages
            let store = fixture.store
            // The server lets the event pass that crosses its limit, and none after it: its letter does, its removal not.
            let large = messages.insertion(["a"], Self.message(5 << 20))
            let others = (0..<5).map { _ in messages.insertion(["a"], Self.message(1_000)) }
            #expect(try await store.insert([large], shard: 0) == [.stored])
            #expect(try await store.insert(others, shard: 0).allSatisfy { $0 == .stored })
            let dead = [Settlement.Dead(group: "a", attempts: 3, reason: .attemptsUsedUp)]
            let batch = ([large] + others).map { Settlement(seq: $0.seq, dead: dead) }
            do {
                _ = try await store.settle(batch, shard: 0)
                Issue.record("it was taken")
            } catch let error as PartlySettled {
                #expect(error.stuck == [large.seq] && error.lost.isEmpty)
                #expect(Set(error.done) == Set(others.map(\.seq)))
                let cause = ((error.cause as? StoreError)?.underlying as? MariaDBError)
                #expect(cause?.code == 1197, "\(error.cause)")
            }
            #expect(try await fixture.rows("SELECT seq FROM kite_message") == ["\(large.seq)"])
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_dead_letter") == ["5"])
            // Alone its removal passes.
            #expect(try await store.settle([Settlement(seq: large.seq)], shard: 0).isEmpty)
        }
    }

    @Test(arguments: StoreUnderTest.servers) func halfMessagesAndTakeovers(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture, messages async throws in
            var messages = messages
            let store = fixture.store
            let halves = (0..<6).map { _ in messages.insertion(nil, Self.message()) }
            let committed = (0..<4).map { _ in messages.insertion(nil, Self.message()) }
            #expect(try await store.insert(halves + committed, shard: 0).allSatisfy { $0 == .stored })
            let decisions = committed.map {
                TransactionDecision(
                    messageID: $0.message.id, answer: .commit, connectionGroup: "p-connection", needsContent: false)
            }
            let route = Route([.init(group: "a", persistent: true)])
            let outcomes = try await store.decide(decisions, shard: 0) { _, _ in route }
            #expect(outcomes.count == 4)
            #expect(
                try await fixture.rows("SELECT COUNT(*) FROM kite_message WHERE state = 1") == ["4"])
            let checks = halves.map { TransactionCheck(seq: $0.seq, previousCheckAt: 5_000, action: .park) }
            #expect(try await store.reschedule(checks, shard: 0) == Set(halves.map(\.seq)))
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_dead_letter WHERE reason = 3") == ["6"])

            try await running(fixture.open()) { heir async throws in
                _ = try await heir.join(as: BrokerIdentity(name: "broker", address: "b:1"))
                let seqs = committed.map(\.seq)
                #expect(try await heir.load(seqs, for: "a", shard: 0).map(\.seq) == seqs)
                #expect(try await fixture.rows("SELECT COUNT(DISTINCT owner) FROM kite_message") == ["1"])
            }
        }
    }

    @Test(arguments: StoreUnderTest.servers) func whatExpiresOfManyGroups(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture, messages async throws in
            var messages = messages
            let store = fixture.store
            let many = messages.insertion(Self.groups, Self.message(expiresAt: 1_000))
            let few = (0..<4).map { _ in messages.insertion(["a"], Self.message(expiresAt: 1_000)) }
            for insertion in [many] + few { #expect(try await store.insert([insertion], shard: 0) == [.stored]) }
            for insertion in [many] + few {
                let rows = insertion.route?.members.map { Settlement.Pending(group: $0.group, attempts: 0, dueAt: 0) }
                #expect(try await store.settle([Settlement(seq: insertion.seq, pending: rows ?? [])], shard: 0).isEmpty)
            }
            let (buried, next) = try await store.buryExpiredDeliveries(shard: 0, after: 0, now: 2_000, limit: 500)
            #expect(buried.count == 12 && next == nil)
            #expect(try await fixture.rows("SELECT COUNT(*), MIN(reason) FROM kite_dead_letter") == ["12 2"])
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_message") == ["0"])
            try await DeadLetterStore.with(fixture.configuration, logger: quiet) { letters in
                let page = try await letters.list(DeadLetterFilter(), limit: 100)
                #expect(try await letters.delete(page.letters.map(\.id)).count == 12)
            }
            #expect(try await fixture.rows("SELECT COUNT(*) FROM kite_dead_letter") == ["0"])
        }
    }

    /// Refused as a server would: too large, not said why, out of locks, and for a reason that nobody here knows.
    @Test(arguments: StoreUnderTest.servers) func anAnswerThatCannotPassHoldsUpNoOther(
        kind: StoreUnderTest
    ) async throws {
        try await with(kind) { fixture, messages async throws in
            var messages = messages
            for code in [1197, 3100, 1206, 1644] {
                try await Self.answersBesideOneRefused(code, fixture, &messages)
            }
        }
    }

    private static func answersBesideOneRefused(
        _ code: Int, _ fixture: Fixture, _ messages: inout Messages
    ) async throws {
        let store = fixture.store
        let bad = messages.insertion(nil, message(1_000))
        let others = (0..<5).map { _ in messages.insertion(nil, message(1_000)) }
        #expect(try await store.insert([bad] + others, shard: 0).allSatisfy { $0 == .stored })
        let seq = bad.seq
        try await fixture.pool.withConnection { connection in
            try connection.simple(
                """
                CREATE TRIGGER refuses BEFORE UPDATE ON kite_message FOR EACH ROW \
                IF OLD.seq = \(seq) THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = \(code), MESSAGE_TEXT = 'not this'; \
                END IF
                """)
        }
        func decision(_ half: Insertion, _ answer: TransactionDecision.Answer = .commit) -> TransactionDecision {
            TransactionDecision(
                messageID: half.message.id, answer: answer, connectionGroup: "p-connection", needsContent: true)
        }
        func words(_ batch: [TransactionDecision]) async throws -> [String] {
            let route = Route([.init(group: "a", persistent: true)])
            return try await store.decide(batch, shard: 0) { _, _ in route }.map { outcome in
                switch outcome {
                case .committed: "committed"
                case .rolledBack: "rolled back"
                case .notYet: "not yet"
                default: "\(outcome)"
                }
            }
        }
        // First of a batch, last of one with a later answer behind it, and alone.
        let first = [decision(bad)] + others[..<2].map { decision($0) }
        #expect(try await words(first) == ["not yet", "committed", "committed"], "\(code)")
        let last = others[2...].map { decision($0) } + [decision(bad), decision(bad, .rollBack)]
        #expect(
            try await words(last) == ["committed", "committed", "committed", "not yet", "not yet"], "\(code)")
        #expect(try await words([decision(bad)]) == ["not yet"], "\(code)")
        #expect(try await fixture.rows("SELECT seq FROM kite_message WHERE state = 0") == ["\(seq)"])
        try await fixture.pool.withConnection { try $0.simple("DROP TRIGGER refuses") }
        #expect(try await words([decision(bad)]) == ["committed"], "\(code)")
    }

    @Test(arguments: StoreUnderTest.servers) func whatCommitsReadIsBounded(kind: StoreUnderTest) async throws {
        try await with(kind) { fixture, messages async throws in
            var messages = messages
            let store = fixture.store
            let halves = (0..<40).map { _ in messages.insertion(nil, Self.message()) }
            #expect(try await store.insert(halves, shard: 0).allSatisfy { $0 == .stored })
            var rest = halves.map {
                TransactionDecision(
                    messageID: $0.message.id, answer: .commit, connectionGroup: "p-connection", needsContent: true)
            }
            let route = Route([.init(group: "a", persistent: true)])
            var seqs: [Int64] = []
            while !rest.isEmpty {
                let outcomes = try await store.decide(rest, shard: 0) { _, _ in route }
                try #require(!outcomes.isEmpty)
                #expect(outcomes.count <= 24)
                for case .committed(let seq, _, .some) in outcomes { seqs.append(seq) }
                rest.removeFirst(outcomes.count)
            }
            #expect(seqs == halves.map(\.seq))
        }
    }
}
