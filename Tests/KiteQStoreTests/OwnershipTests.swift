import KiteQCore
import MariaDB
import NIOCore
import Testing

@testable import KiteQStore

/// Who may change what when several brokers share a store.
@Suite(.timeLimit(.minutes(2))) struct OwnershipTests {
    static let stores = StoreUnderTest.available

    private static let another = BrokerIdentity(name: "another broker", address: "127.0.0.1:2")
    private static let again = BrokerIdentity(name: "broker", address: "127.0.0.1:1")

    @Test(arguments: stores) func whatALivingBrokerOwnsIsNobodyElses(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, open async throws in
            var messages = Messages()
            let fresh = messages.insertion(["a"])
            let tracked = messages.insertion(["a", "b"])
            _ = try await store.insert([fresh, tracked], shard: 0)
            _ = try await store.settle(
                [
                    Settlement(
                        seq: tracked.seq,
                        pending: [.init(held: "a", attempts: 3), .init(group: "b", attempts: 2, dueAt: 500)])
                ], shard: 0)
            try await running(open()) { other async throws in
                _ = try await other.join(as: Self.another)
                #expect(try await other.fresh(of: "a", after: 0, limit: 9).isEmpty)
                #expect(try await other.load([fresh.seq, tracked.seq], for: "a", shard: 0).isEmpty)
                #expect(try await other.settle([Settlement(seq: fresh.seq)], shard: 0) == [fresh.seq])
                let done = Settlement(seq: tracked.seq, wasTracked: true, done: ["a"])
                #expect(try await other.settle([done], shard: 0) == [tracked.seq])
                // What is in nobody's memory is anybody's, and then only theirs.
                #expect(try await other.load([tracked.seq], for: "b", shard: 0).map(\.deliveries[0].attempts) == [2])
                #expect(try await store.load([tracked.seq], for: "b", shard: 0).isEmpty)
                let doneB = Settlement(seq: tracked.seq, wasTracked: true, done: ["b"])
                #expect(try await store.settle([doneB], shard: 0) == [tracked.seq])
                #expect(try await other.settle([doneB], shard: 0).isEmpty)
                #expect(try await store.settle([done, Settlement(seq: fresh.seq)], shard: 0).isEmpty)
                #expect(try await store.remaining([fresh.seq, tracked.seq]).isEmpty)
            }
        }
    }

    @Test(arguments: stores) func whatADeadBrokerLeftIsTakenOverByOne(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, open async throws in
            var messages = Messages()
            let fresh = (0..<20).map { _ in messages.insertion(["a"]) }
            let tracked = messages.insertion(["a", "b"])
            let half = messages.insertion(nil)
            _ = try await store.insert(fresh + [tracked, half], shard: 0)
            _ = try await store.settle(
                [Settlement(seq: tracked.seq, pending: [.init(held: "a", attempts: 3)])], shard: 0)

            try await running(open()) { heir async throws in
                try await running(open()) { other async throws in
                    _ = try await heir.join(as: Self.again)
                    _ = try await other.join(as: Self.another)
                    try await heir.setPresence(["a"], shard: 0)
                    #expect(try await heir.survey(shard: 0, now: 9).abandoned == ["a": fresh[0].seq])
                    #expect(try await heir.fresh(of: "a", after: 0, limit: 99) == fresh.map(\.seq))
                    // Both at once: each message goes to one of them.
                    async let first = heir.load(fresh.map(\.seq), for: "a", shard: 0).map(\.seq)
                    async let second = other.load(fresh.map(\.seq), for: "a", shard: 0).map(\.seq)
                    let (mine, theirs) = (try await first, try await second)
                    #expect((mine + theirs).sorted() == fresh.map(\.seq))
                    #expect(try await heir.survey(shard: 0, now: 9).abandoned.isEmpty)

                    #expect(try await heir.releaseDead(shard: 0, limit: 9) == 1)
                    #expect(try await other.releaseDead(shard: 0, limit: 9) == 0)
                    let survey = try await heir.survey(shard: 0, now: .max - 1)
                    #expect(survey.due == ["a"] && survey.waiting.isEmpty)
                    #expect(try await heir.load([tracked.seq], for: "a", shard: 0).map(\.deliveries[0].attempts) == [3])
                    #expect(
                        try await other.dueTransactions(shard: 0, after: nil, now: 9_000, limit: 9).map(\.seq) == [
                            half.seq
                        ])

                    // The earlier life is not over, only paused: it may write nothing more.
                    #expect(try await store.settle([Settlement(seq: fresh[0].seq)], shard: 0) == [fresh[0].seq])
                    let done = Settlement(seq: tracked.seq, wasTracked: true, done: ["a"])
                    #expect(try await store.settle([done], shard: 0) == [tracked.seq])
                    await #expect(throws: StoreError.self) { () async throws in
                        _ = try await store.renewLease(shard: 0)
                    }
                    #expect(try await heir.settle([done] + mine.map { Settlement(seq: $0) }, shard: 0).isEmpty)
                    #expect(try await other.settle(theirs.map { Settlement(seq: $0) }, shard: 0).isEmpty)
                    #expect(try await heir.remaining(fresh.map(\.seq) + [tracked.seq]).isEmpty)
                }
            }
        }
    }

    @Test(arguments: StoreUnderTest.servers) func whoDoesNotRenewIsFoundDead(kind: StoreUnderTest) async throws {
        var configuration = try await kind.configuration()
        configuration.lease = .seconds(1)
        _ = try await Migrator(configuration, logger: quiet).run()
        let open = { [configuration] in MySQLMessageStore(configuration, logger: quiet) }
        try await running(open()) { silent async throws in
            try await running(open()) { other async throws in
                try await running(open()) { watcher async throws in
                    let number = try await silent.join(as: Self.again)
                    for store in [watcher, other] {
                        _ = try await store.join(as: BrokerIdentity(name: "\(Int.random(in: 0...999))", address: "a:1"))
                    }
                    var messages = Messages()
                    let fresh = messages.insertion(["a"])
                    _ = try await silent.insert([fresh], shard: 0)
                    try await silent.renewLease(shard: 0)
                    try await silent.renewLease(shard: 0)
                    var dead: [String] = []
                    let begun = ContinuousClock.now
                    while dead.isEmpty, ContinuousClock.now < begun + .seconds(20) {
                        for store in [watcher, other] { try await store.renewLease(shard: 0) }
                        dead = try await watcher.watchLeases(shard: 0)
                        try await Task.sleep(for: .milliseconds(100))
                    }
                    #expect(dead == ["broker (incarnation \(number))"])
                    #expect(ContinuousClock.now >= begun + .seconds(1), "not before a whole lease")
                    let calls: [(Int) async throws -> Void] = [
                        { try await silent.renewLease(shard: $0) }, { _ = try await silent.watchLeases(shard: $0) },
                    ]
                    for call in calls {
                        let error = await #expect(throws: StoreError.self) { () async throws in try await call(0) }
                        #expect(error?.code == .fenced)
                    }
                    #expect(try await other.watchLeases(shard: 0).isEmpty)

                    // What it wrote when it was forgotten already is found all the same.
                    let late = messages.insertion(["a"])
                    _ = try await silent.insert([late], shard: 0)
                    try await execute("DELETE FROM kite_incarnation WHERE number = \(number)", configuration)
                    let seqs = [fresh.seq, late.seq]
                    #expect(try await other.fresh(of: "a", after: 0, limit: 9) == seqs)
                    #expect(try await other.load(seqs, for: "a", shard: 0).map(\.seq) == seqs)
                }
            }
        }
    }

    /// On two nodes of a cluster at once each takes the other's delivery for the last, and neither removes the message.
    @Test(arguments: StoreUnderTest.servers) func whatNobodyIsOwedAnyMoreIsRemoved(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        let mysql = MySQLMessageStore(configuration, logger: quiet)
        try await running(mysql) { store async throws in
            _ = try await store.join(as: Self.again)
            var messages = Messages()
            let all = (0..<5).map { _ in messages.insertion(["a", "b"]) }
            _ = try await store.insert(all, shard: 0)
            _ = try await store.settle(
                all.map { Settlement(seq: $0.seq, pending: [.init(group: "a", attempts: 1, dueAt: 0)]) }, shard: 0)
            let shard = mysql.shards[0]
            #expect(try await shard.removeUnowed(after: 0, limit: 9, onAnyServer: true) == (0, nil))
            try await execute(
                "DELETE FROM kite_delivery WHERE seq IN (\(all[1].seq), \(all[4].seq))", configuration)
            #expect(try await store.removeUnowed(shard: 0, after: 0, limit: 9) == (0, nil), "it is no cluster")
            let (removed, next) = try await shard.removeUnowed(after: 0, limit: 3, onAnyServer: true)
            #expect(removed == 1 && next == all[2].seq)
            #expect(try await shard.removeUnowed(after: all[2].seq, limit: 3, onAnyServer: true) == (1, nil))
            #expect(try await store.remaining(all.map(\.seq)) == [all[0].seq, all[2].seq, all[3].seq])
        }
    }

    private func execute(_ statement: String, _ configuration: MySQLStoreConfiguration) async throws {
        try await running(MariaDBPool(configuration.shards[0], logger: quiet)) { pool in
            try await pool.withConnection { _ = try $0.execute(statement) }
        }
    }

    @Test(arguments: stores) func aBrokerKnowsWhoIsElsewhereAndWhatWaitsForItsOwn(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, open async throws in
            var messages = Messages()
            let message = messages.insertion(["a", "b", "c"])
            _ = try await store.insert([message], shard: 0)
            _ = try await store.settle(
                [
                    Settlement(
                        seq: message.seq,
                        pending: [
                            .init(group: "a", attempts: 0, dueAt: 0), .init(group: "b", attempts: 1, dueAt: 700),
                            .init(held: "c", attempts: 0),
                        ])
                ], shard: 0)
            try await store.setPresence(["a", "b", "c"], shard: 0)
            try await running(open()) { other async throws in
                _ = try await other.join(as: Self.another)
                try await other.setPresence(["x", "a"], shard: 0)
                #expect(
                    try await store.survey(shard: 0, now: 699)
                        == ShardSurvey(elsewhere: ["a", "x"], waiting: ["a": message.seq]))
                #expect(try await store.survey(shard: 0, now: 700).due == ["b"])
                #expect(
                    try await other.survey(shard: 0, now: 700)
                        == ShardSurvey(elsewhere: ["a", "b", "c"], waiting: ["a": message.seq]))
                try await other.setPresence(["y"], shard: 0)
                #expect(try await store.survey(shard: 0, now: 0).elsewhere == ["y"])
            }
            #expect(try await store.survey(shard: 0, now: 0).elsewhere.isEmpty, "it has left")
        }
    }

    @Test(arguments: stores) func manyGroupsAreAskedForTogether(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let groups = (0..<70).map { "group \($0)" }
            let message = messages.insertion(groups)
            _ = try await store.insert([message], shard: 0)
            let pending = groups.enumerated().map { number, group in
                Settlement.Pending(group: group, attempts: 1, dueAt: number % 3 == 0 ? 0 : number % 3 == 1 ? 500 : 900)
            }
            _ = try await store.settle([Settlement(seq: message.seq, pending: pending)], shard: 0)
            try await store.setPresence(Set(groups), shard: 0)
            let survey = try await store.survey(shard: 0, now: 700)
            #expect(Set(survey.waiting.keys) == Set(groups.indices.filter { $0 % 3 == 0 }.map { groups[$0] }))
            #expect(survey.due == Set(groups.indices.filter { $0 % 3 == 1 }.map { groups[$0] }))
        }
    }

    @Test(arguments: stores) func expiredMessagesOfAbsentGroupsAreFound(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, open async throws in
            var messages = Messages()
            func insertion(_ groups: [String], expiresAt: Timestamp) -> Insertion {
                messages.insertion(groups, Messages.message().with(expiresAt: expiresAt))
            }
            let all = (0..<30).map {
                insertion($0 % 2 == 0 ? ["a"] : ["a", "b"], expiresAt: $0 % 3 == 0 ? 100 : 9_000)
            }
            let tracked = insertion(["a", "b", "c"], expiresAt: 100)
            _ = try await store.insert(all + [tracked], shard: 0)
            _ = try await store.settle(
                [
                    Settlement(
                        seq: tracked.seq,
                        pending: [
                            .init(group: "a", attempts: 0, dueAt: 0), .init(group: "b", attempts: 2, dueAt: 50),
                            .init(held: "c", attempts: 0),
                        ])
                ], shard: 0)
            var expired: [Int64] = []
            var topics: Set<String> = []
            var place: SweepCursor?
            repeat {
                let page = try await store.expiredFresh(shard: 0, after: place, now: 100, limit: 4)
                expired += page.expired.map(\.seq)
                topics.formUnion(page.expired.map(\.topic))
                place = page.next
            } while place != nil
            #expect(expired.sorted() == all.filter { $0.message.expiresAt == 100 }.map(\.seq))
            #expect(topics == Set(all.map(\.message.topic)))

            #expect(try await store.buryExpiredDeliveries(shard: 0, after: 0, now: 99, limit: 9).buried.isEmpty)
            let buried = try await store.buryExpiredDeliveries(shard: 0, after: 0, now: 100, limit: 9).buried
            #expect(buried.map(\.group).sorted() == ["a", "b"])
            #expect(buried.allSatisfy { $0.id == tracked.message.id && $0.topic == tracked.message.topic })
            let done = Settlement(seq: tracked.seq, wasTracked: true, done: ["c"])
            #expect(try await store.settle([done], shard: 0).isEmpty, "what is in memory expires there")
            #expect(try await store.purge(shard: 0, decidedBefore: 0, deadLettersBefore: .max, limit: 9) == 2)
        }
    }
}
