import Foundation
import KiteQCore
import LocalServers
import MariaDB
import NIOCore
import Testing

@testable import KiteQStore

/// Every way in which the store writes, on clusters that take small transactions only: all of it passes, in parts, or is refused
/// one by one with a reason.
@Suite(.serialized, .timeLimit(.minutes(4))) struct ClusterLimitTests {
    /// A cluster, and how it limits transactions.
    enum Limit: String, CaseIterable, Sendable, CustomTestStringConvertible {
        /// `wsrep_max_ws_rows = 40` (error 1180)
        case galeraRows
        /// `wsrep_max_ws_size` of 5 MiB (error 1105, 1180 at COMMIT)
        case galeraBytes
        /// `group_replication_transaction_size_limit` of 5 MB (error 3100)
        case groupBytes

        var testDescription: String { rawValue }

        static let available: [Limit] = allCases.filter { limit in
            limit == .groupBytes ? LocalMySQL.root != nil : ClusterUnderTest.hasGalera
        }

        func with(_ body: (Int) async throws -> Void) async throws {
            switch self {
            case .galeraRows:
                try await ClusterUnderTest.withGalera(
                    nodes: 1, options: ["--wsrep-max-ws-rows=40", "--max-allowed-packet=64M"]
                ) { try await body($0[0]) }
            case .galeraBytes:
                try await ClusterUnderTest.withGalera(
                    nodes: 1, options: ["--wsrep-max-ws-size=5242880", "--max-allowed-packet=64M"]
                ) { try await body($0[0]) }
            case .groupBytes:
                try await ClusterUnderTest.withGroupReplication(
                    options: ["--loose-group-replication-transaction-size-limit=5000000"], body)
            }
        }

        var limitsBytes: Bool { self != .galeraRows }
    }

    private static let groups = ["a", "b", "c", "d", "e", "f", "g", "h"]

    private static func message(_ bytes: Int, expiresAt: Timestamp? = nil) -> Message {
        Messages.message().with(expiresAt: expiresAt, body: ByteBuffer(repeating: 0x41, count: bytes))
    }

    private func withStore(
        _ limit: Limit,
        _ body:
            @escaping @Sendable (
                any MessageStore, @escaping @Sendable () -> any MessageStore, ClusterUnderTest.Root
            ) async throws -> Void
    ) async throws {
        try await limit.with { port in
            let configuration = try MySQLStoreURL.configuration("mysql://root@127.0.0.1:\(port)/kite?shards=1")
            #expect(try await Migrator(configuration, logger: quiet).run()[0].applied == Migration.all.map(\.name))
            let open: @Sendable () -> any MessageStore = { MySQLMessageStore(configuration, logger: quiet) }
            try await ClusterUnderTest.onServer(port) { root in
                try await running(open()) { store async throws in
                    _ = try await store.join(as: BrokerIdentity(name: "broker", address: "b:1"))
                    try await body(store, open, root)
                }
            }
        }
    }

    /// Many small ones and some large ones, as they come together; then one that is larger than the limit.
    @Test(arguments: Limit.available) func publishesAllPass(limit: Limit) async throws {
        try await withStore(limit) { store, _, root in
            var messages = Messages()
            let small = (0..<600).map { _ in messages.insertion(["a"], Self.message(4_000)) }
            let outcomes = try await store.insert(small, shard: 0)
            #expect(outcomes.count { $0 == .stored } == 600, "\(Set(outcomes.map { "\($0)" }))")
            let halves = (0..<100).map { _ in messages.insertion(nil, Self.message(4_000)) }
            #expect(try await store.insert(halves, shard: 0).allSatisfy { $0 == .stored })
            let mixed = (0..<60).map { messages.insertion(["a", "b"], Self.message($0 % 6 == 0 ? 1 << 20 : 1_000)) }
            let mixedOutcomes = try await store.insert(mixed, shard: 0)
            #expect(mixedOutcomes.count { $0 == .stored } == 60, "\(Set(mixedOutcomes.map { "\($0)" }))")
            #expect(try await root.value("SELECT COUNT(*) FROM kite_0.kite_message") == "760")
            guard limit.limitsBytes else { return }
            let around = [1_000, 6 << 20, 1_000].map { messages.insertion(["a"], Self.message($0)) }
            let last = try await store.insert(around, shard: 0)
            #expect(last[0] == .stored && last[2] == .stored, "\(last)")
            let reason = "\(last[1])"
            #expect(last[1] != .stored && !reason.contains("read-only") && !reason.contains("read only"), "\(reason)")
            #expect(reason.contains(limit == .groupBytes ? "transaction_size_limit" : "riteset size"), "\(reason)")
            #expect(try await root.value("SELECT COUNT(*) FROM kite_0.kite_message") == "762")
        }
    }

    @Test(arguments: Limit.available) func whatBecameOfMessagesIsWritten(limit: Limit) async throws {
        try await withStore(limit) { store, _, root in
            var messages = Messages()
            let bytes = limit.limitsBytes ? 900_000 : 100
            let count = limit.limitsBytes ? 12 : 120
            let done = (0..<count).map { _ in messages.insertion(["a"], Self.message(bytes)) }
            let dead = (0..<count).map { _ in messages.insertion(["a"], Self.message(bytes)) }
            let tracked = (0..<count).map { _ in messages.insertion(Self.groups, Self.message(bytes)) }
            for batch in [done, dead, tracked] {
                #expect(try await store.insert(batch, shard: 0).allSatisfy { $0 == .stored })
            }
            #expect(try await store.settle(done.map { Settlement(seq: $0.seq) }, shard: 0).isEmpty)
            let letter = [Settlement.Dead(group: "a", attempts: 3, reason: .attemptsUsedUp)]
            #expect(try await store.settle(dead.map { Settlement(seq: $0.seq, dead: letter) }, shard: 0).isEmpty)
            let held = Self.groups.map { Settlement.Pending(held: $0, attempts: 2) }
            #expect(try await store.settle(tracked.map { Settlement(seq: $0.seq, pending: held) }, shard: 0).isEmpty)
            let deliveries = "SELECT COUNT(*) FROM kite_0.kite_delivery"
            #expect(try await root.value(deliveries) == "\(count * 8)")
            let letters = Self.groups.map { Settlement.Dead(group: $0, attempts: 3, reason: .attemptsUsedUp) }
            #expect(
                try await store.settle(
                    tracked.map { Settlement(seq: $0.seq, wasTracked: true, dead: letters) }, shard: 0
                ).isEmpty)
            #expect(try await root.value("SELECT COUNT(*) FROM kite_0.kite_message") == "0")
            #expect(try await root.value(deliveries) == "0")
            #expect(try await root.value("SELECT COUNT(*) FROM kite_0.kite_dead_letter") == "\(count * 9)")
            var purged = 0
            while true {
                let some = try await store.purge(shard: 0, decidedBefore: 0, deadLettersBefore: .max, limit: 500)
                if some == 0 { break }
                purged += some
            }
            #expect(purged == count * 9)
        }
    }

    @Test(arguments: Limit.available) func halfMessagesExpiriesAndTakeovers(limit: Limit) async throws {
        try await withStore(limit) { store, open, root in
            var messages = Messages()
            let bytes = limit.limitsBytes ? 900_000 : 100
            let count = limit.limitsBytes ? 10 : 100
            let parked = (0..<count).map { _ in messages.insertion(nil, Self.message(bytes)) }
            let committed = (0..<count).map { _ in messages.insertion(nil, Self.message(bytes)) }
            let expired = (0..<count).map { _ in messages.insertion(["a"], Self.message(bytes, expiresAt: 1_000)) }
            for batch in [parked, committed, expired] {
                #expect(try await store.insert(batch, shard: 0).allSatisfy { $0 == .stored })
            }
            let decisions = committed.map {
                TransactionDecision(
                    messageID: $0.message.id, answer: .commit, connectionGroup: "p-connection", needsContent: false)
            }
            let route = Route([.init(group: "a", persistent: true)])
            #expect(try await store.decide(decisions, shard: 0) { _, _ in route }.count == count)
            #expect(
                try await root.value("SELECT COUNT(*) FROM kite_0.kite_transaction WHERE outcome = 1") == "\(count)")
            let checks = parked.map { TransactionCheck(seq: $0.seq, previousCheckAt: 5_000, action: .park) }
            #expect(try await store.reschedule(checks, shard: 0) == Set(parked.map(\.seq)))
            let due = [Settlement.Pending(group: "a", attempts: 0, dueAt: 0)]
            #expect(try await store.settle(expired.map { Settlement(seq: $0.seq, pending: due) }, shard: 0).isEmpty)
            var buried = 0
            var after: Int64? = 0
            while let from = after {
                let page = try await store.buryExpiredDeliveries(shard: 0, after: from, now: 2_000, limit: 500)
                buried += page.buried.count
                after = page.next
            }
            #expect(buried == count)
            // A broker of the same name takes over what is left.
            try await running(open()) { heir async throws in
                _ = try await heir.join(as: BrokerIdentity(name: "broker", address: "b:1"))
                let seqs = committed.map(\.seq)
                #expect(try await heir.load(seqs, for: "a", shard: 0).map(\.seq) == seqs)
            }
        }
    }

    /// What has few bytes and many rows: groups, routes, bindings, counts, takeovers, and what is purged. Of Galera's rows alone.
    @Test(.enabled(if: ClusterUnderTest.hasGalera)) func manyRowsOfFewBytes() async throws {
        try await withStore(.galeraRows) { store, open, root in
            var messages = Messages()
            let groups = (0..<60).map { "g\($0)" }
            let topics = (0..<60).map { "t\($0)" }
            // A route of more groups than rows that pass at once.
            let broad = messages.insertion(groups, Self.message(100))
            #expect(try await store.insert([broad], shard: 0) == [.stored])
            #expect(try await root.value("SELECT COUNT(*) FROM kite_0.kite_route") == "60")
            #expect(try await store.settle([Settlement(seq: broad.seq)], shard: 0).isEmpty)
            try await store.saveBindings(
                topics.map { Binding(group: "g", topic: $0, messageType: "paid") }, topics: topics)
            #expect(try await store.savedBindings(topics: topics)?.count == 60)
            try await store.saveBindings([], topics: topics)
            #expect(try await store.savedBindings(topics: topics)?.count == 0)
            let samples = topics.map { TopicSample(at: 600_000, broker: "b", topic: $0, counters: .init(published: 3)) }
            try await store.addSamples(samples)
            #expect(try await root.value("SELECT SUM(published) FROM kite_0.kite_sample") == "180")

            // Deliveries that are nobody's, taken by one that dies, and then by another.
            let tracked = (0..<100).map { _ in messages.insertion(["a"], Self.message(100)) }
            #expect(try await store.insert(tracked, shard: 0).allSatisfy { $0 == .stored })
            let due = [Settlement.Pending(group: "a", attempts: 1, dueAt: 0)]
            #expect(try await store.settle(tracked.map { Settlement(seq: $0.seq, pending: due) }, shard: 0).isEmpty)
            let seqs = tracked.map(\.seq)
            let another = BrokerIdentity(name: "another", address: "c:1")
            try await running(open()) { first async throws in
                _ = try await first.join(as: another)
                try await first.setPresence(Set(groups), shard: 0)
                #expect(try await root.value("SELECT COUNT(*) FROM kite_0.kite_presence") == "60")
                #expect(try await first.load(seqs, for: "a", shard: 0).count == 100)
                try await running(open()) { next async throws in
                    _ = try await next.join(as: another, takingOver: true)
                    #expect(try await root.value("SELECT COUNT(*) FROM kite_0.kite_presence") == "0")
                    var released = 0
                    while released < 100 { released += try await next.releaseDead(shard: 0, limit: 1_000) }
                    #expect(released == 100)
                    #expect(try await next.load(seqs, for: "a", shard: 0).count == 100)
                    try await next.setPresence(Set(groups), shard: 0)
                    try await next.setPresence([], shard: 0)
                    #expect(try await root.value("SELECT COUNT(*) FROM kite_0.kite_presence") == "0")
                }
            }

            let halves = (0..<100).map { _ in messages.insertion(nil, Self.message(100)) }
            #expect(try await store.insert(halves, shard: 0).allSatisfy { $0 == .stored })
            let rollbacks = halves.map {
                TransactionDecision(
                    messageID: $0.message.id, answer: .rollBack, connectionGroup: "p-connection", needsContent: false)
            }
            #expect(try await store.decide(rollbacks, shard: 0) { _, _ in nil }.count == 100)
            let purged = try await store.purge(shard: 0, decidedBefore: .max, deadLettersBefore: 0, limit: 500)
            #expect(purged == 160, "the halves, and the old counts")
            #expect(try await root.value("SELECT COUNT(*) FROM kite_0.kite_transaction") == "0")
        }
    }
}
