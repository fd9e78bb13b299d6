import KiteQCore
import NIOCore
import Testing

@testable import KiteQStore

/// What every store must do, whatever it is made of.
@Suite(.timeLimit(.minutes(2))) struct StoreConformanceTests {
    static let stores = StoreUnderTest.available

    // MARK: Publishing

    @Test(arguments: stores) func whatIsInsertedIsLoadedWhole(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let odd = Messages.message("風箏 \u{0}", topic: "träde")
                .with(kind: .bytes, extra: ByteBuffer(bytes: [1, 2, 255]))
            let large = Messages.message().with(body: ByteBuffer(repeating: 0xAB, count: 2 << 20))
            let empty = Messages.message("").with(extra: ByteBuffer())
            let batch = [odd, large, empty].map { messages.insertion(["a", "b"], $0) }
            #expect(try await store.insert(batch, shard: 0) == [.stored, .stored, .stored])
            let loaded = try await store.load(batch.map(\.seq).reversed() + [1], for: "a", shard: 0)
            #expect(loaded.map(\.seq) == batch.map(\.seq), "ascending, and what is not there is left out")
            for (stored, insertion) in zip(loaded, batch) {
                let (a, b) = (stored.message, insertion.message)
                #expect(stored.state == .fresh && stored.route == insertion.route && stored.deliveries.isEmpty)
                #expect(a.id == b.id && a.kind == b.kind && a.topic == b.topic && a.messageType == b.messageType)
                #expect(
                    a.publisherGroup == b.publisherGroup && a.expiresAt == b.expiresAt
                        && a.deliverLimit == b.deliverLimit)
                #expect(
                    a.publishedAt == b.publishedAt && a.header == b.header && a.body == b.body && a.extra == b.extra)
            }
        }
    }

    @Test(arguments: stores) func aSettlementInStepsComesToTheSame(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let insertion = messages.insertion(["a", "b", "c"])
            _ = try await store.insert([insertion], shard: 0)
            let dead = ["a", "b", "c"].map { Settlement.Dead(group: $0, attempts: 2, reason: .expired) }
            let steps = Settlement(seq: insertion.seq, dead: dead).steps(letters: 1)
            for (index, step) in steps.enumerated() {
                #expect(try await store.settle([step], shard: 0).isEmpty)
                #expect(try await store.settle([step], shard: 0) == [insertion.seq], "again it changes nothing")
                let held = try await store.heldDeliveries(shard: 0, after: 0, limit: 9)
                #expect(held.map(\.group).sorted() == Array(["a", "b", "c"][(index + 1)...]))
            }
            #expect(try await store.remaining([insertion.seq]).isEmpty)
            #expect(try await store.insert([messages.insertion(["a"], insertion.message)], shard: 0) == [.stored])
        }
    }

    @Test(arguments: stores) func anIdIsStoredOnce(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let first = messages.insertion(["a"])
            let again = messages.insertion(["a"], first.message)
            let third = messages.insertion(["a"], first.message)
            let other = messages.insertion(["a"])
            #expect(try await store.insert([first, again], shard: 0) == [.stored, .duplicate(of: first.seq)])
            #expect(try await store.insert([other, third], shard: 0) == [.stored, .duplicate(of: first.seq)])
            #expect(
                try await store.insert([first], shard: 0).first.map { $0 == .stored || $0 == .duplicate(of: first.seq) }
                    == true)
            #expect(try await store.settle([Settlement(seq: first.seq)], shard: 0).isEmpty)
            #expect(try await store.insert([third], shard: 0) == [.stored], "once it is done the id is new")
        }
    }

    @Test(arguments: StoreUnderTest.servers) func oneGuiltyRowIsRefusedAlone(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            var batch = (0..<20).map { _ in messages.insertion(["a"]) }
            batch[7] = messages.insertion(["a"], Messages.message(topic: String(repeating: "x", count: 300)))
            let outcomes = try await store.insert(batch, shard: 0)
            for (index, outcome) in outcomes.enumerated() where index != 7 { #expect(outcome == .stored) }
            guard case .refused = outcomes[7] else {
                Issue.record("\(outcomes[7])")
                return
            }
            #expect(try await store.load(batch.map(\.seq), for: "a", shard: 0).count == 19)
        }
    }

    // MARK: Transactions

    private static let toA: @Sendable (String, String) -> Route = { _, _ in Route([.init(group: "a", persistent: true)])
    }

    private func decide(
        _ store: any MessageStore, _ insertion: Insertion, _ answer: TransactionDecision.Answer,
        from group: String = "p-pay",
        content: Bool = true, route: @escaping @Sendable (String, String) -> Route = StoreConformanceTests.toA
    ) async throws -> TransactionDecision.Outcome {
        try await store.decide(
            [
                TransactionDecision(
                    messageID: insertion.message.id, answer: answer, connectionGroup: group, needsContent: content)
            ], shard: 0, route: route)[0]
    }

    @Test(arguments: stores) func theFirstFinalAnswerWins(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let halves = (0..<5).map { _ in messages.insertion(nil) }
            #expect(try await store.insert(halves, shard: 0).allSatisfy { $0 == .stored })
            #expect(
                try await store.load(halves.map(\.seq), for: "a", shard: 0).isEmpty,
                "a half message is delivered to nobody")
            #expect(try await store.fresh(of: "a", after: 0, limit: 10).isEmpty)

            guard case .wrongGroup("p-pay") = try await decide(store, halves[0], .commit, from: "stranger") else {
                Issue.record("a stranger decided")
                return
            }
            guard case .committed(halves[0].seq, let route, let message?) = try await decide(store, halves[0], .commit)
            else {
                Issue.record("not committed")
                return
            }
            #expect(
                route == Self.toA("", "") && message.id == halves[0].message.id
                    && message.body == halves[0].message.body)
            guard case .alreadyDecided(.committed) = try await decide(store, halves[0], .rollBack) else {
                Issue.record("the second answer changed something")
                return
            }
            guard case .rolledBack = try await decide(store, halves[1], .rollBack, from: "p-connection"),
                case .alreadyDecided(.rolledBack) = try await decide(store, halves[1], .commit),
                case .committedForNobody = try await decide(store, halves[2], .commit, route: { _, _ in Route([]) }),
                case .committed(_, _, nil) = try await decide(store, halves[3], .commit, content: false),
                case .unknown = try await decide(store, messages.insertion(nil), .commit)
            else {
                Issue.record("an answer did not do what it says")
                return
            }
            let both = [TransactionDecision.Answer.rollBack, .commit].map {
                TransactionDecision(
                    messageID: halves[4].message.id, answer: $0, connectionGroup: "p-pay", needsContent: true)
            }
            let outcomes = try await store.decide(both, shard: 0, route: Self.toA)
            guard case .rolledBack = outcomes[0], case .alreadyDecided(.rolledBack) = outcomes[1] else {
                Issue.record("two answers in one batch: \(outcomes)")
                return
            }
            let owed = [halves[0].seq, halves[3].seq]
            #expect(try await store.fresh(of: "a", after: 0, limit: 10) == owed)
            let late = messages.insertion(nil, halves[1].message)
            #expect(try await store.insert([late], shard: 0) == [.taken(.rolledBack)])
        }
    }

    @Test(arguments: stores) func undecidedOnesComeDueAndAreParked(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let halves = (0..<3).map { _ in messages.insertion(nil) }
            _ = try await store.insert(halves, shard: 0)
            #expect(try await store.dueTransactions(shard: 0, after: nil, now: 4_999, limit: 10).isEmpty)
            let due = try await store.dueTransactions(shard: 0, after: nil, now: 5_000, limit: 2)
            #expect(due.map(\.seq) == halves.prefix(2).map(\.seq))
            let rest = try await store.dueTransactions(shard: 0, after: due[1].place, now: 5_000, limit: 9)
            #expect(rest.map(\.seq) == [halves[2].seq])
            #expect(due[0].message.header == halves[0].message.header && due[0].connectionGroup == "p-connection")
            let changed = try await store.reschedule(
                [
                    TransactionCheck(seq: due[0].seq, previousCheckAt: 5_000, action: .next(at: 9_000, checks: 1)),
                    TransactionCheck(seq: due[1].seq, previousCheckAt: 4_711, action: .next(at: 9_000, checks: 1)),
                    TransactionCheck(seq: halves[2].seq, previousCheckAt: 5_000, action: .park),
                ], shard: 0)
            #expect(changed == [due[0].seq, halves[2].seq])
            let left = try await store.dueTransactions(shard: 0, after: nil, now: 9_000, limit: 10)
            #expect(left.map(\.seq) == [halves[1].seq, halves[0].seq], "what had changed meanwhile was left alone")
            #expect(left.map(\.checks) == [0, 1])
            #expect(
                try await store.purge(shard: 0, decidedBefore: .max, deadLettersBefore: 0, limit: 10) == 0,
                "what is parked is undecided: it is remembered as long as its dead letter")
            #expect(
                try await store.purge(shard: 0, decidedBefore: .max, deadLettersBefore: .max, limit: 10) == 2,
                "the parked transaction and its dead letter")
        }
    }

    @Test(arguments: stores) func whatLiesFurtherAheadThanItCanIsDue(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let all = (0..<4).map { _ in messages.insertion(["a"]) }
            _ = try await store.insert(all, shard: 0)
            let seqs = all.map(\.seq)
            let due: [Timestamp] = [9_001, 700, 9_000, Settlement.Pending.heldDueAt]
            _ = try await store.settle(
                zip(seqs, due).map { seq, due in
                    let isHeld = due == Settlement.Pending.heldDueAt
                    return Settlement(
                        seq: seq,
                        pending: [isHeld ? .init(held: "a", attempts: 1) : .init(group: "a", attempts: 1, dueAt: due)])
                }, shard: 0)
            func found(_ now: Timestamp, _ latest: Timestamp, limit: Int = 9) async throws -> [Int64] {
                try await store.deliveries(of: "a", shard: 0, in: .due(now: now, latest: latest), limit: limit)
            }
            #expect(try await found(699, 9_001).isEmpty)
            #expect(try await found(699, 9_000) == [seqs[0]])
            #expect(try await found(700, 9_000) == [seqs[1], seqs[0]], "what is held is nobody else's")
            #expect(try await found(700, 8_999) == [seqs[1], seqs[2], seqs[0]])
            #expect(try await found(700, 8_999, limit: 2) == [seqs[1], seqs[2]])
            try await store.setPresence(["a"], shard: 0)
            #expect(try await store.survey(shard: 0, now: 699, latest: 9_001).due.isEmpty)
            #expect(try await store.survey(shard: 0, now: 699, latest: 9_000).due == ["a"])
            #expect(try await store.survey(shard: 0, now: 700, latest: .max).due == ["a"])

            let halves = (0..<4).map { index in
                var half = messages.insertion(nil)
                half.firstCheckAt = [9_001, 700, 9_000, 9_001][index]
                return half
            }
            _ = try await store.insert(halves, shard: 0)
            var place: DueTransaction.Place?
            func asked(_ now: Timestamp, _ latest: Timestamp, limit: Int = 9) async throws -> [Int64] {
                let due = try await store.dueTransactions(
                    shard: 0, after: place, now: now, latest: latest, limit: limit)
                place = due.last?.place
                return due.map(\.seq)
            }
            #expect(try await asked(699, 9_001).isEmpty)
            #expect(try await asked(700, 9_000, limit: 2) == [halves[1].seq, halves[0].seq])
            #expect(try await asked(700, 9_000, limit: 2) == [halves[3].seq], "the page goes on within what is too far")
            place = nil
            #expect(try await asked(700, 8_999) == [1, 2, 0, 3].map { halves[$0].seq })
        }
    }

    @Test(arguments: stores) func aRenewalTellsTheServersTime(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            let first = try await store.renewLease(shard: 0)
            let second = try await store.renewLease(shard: 0)
            #expect(!first.isApart && !first.hasJumped && !second.isApart && !second.hasJumped)
            #expect(abs(second.now(at: 0) - first.now(at: 0)) <= ServerClock.tolerance)
            #expect(abs(second.now(at: StoreClock.monotonic()) - StoreClock.wall()) < 60_000)
        }
    }

    // MARK: Settling

    @Test(arguments: stores) func deliveriesAreTrackedAndFinished(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let all = (0..<4).map { _ in messages.insertion(["a", "b", "c"]) }
            _ = try await store.insert(all, shard: 0)
            let seqs = all.map(\.seq)
            func pending(_ group: String, _ attempts: Int, _ dueAt: Timestamp) -> Settlement.Pending {
                .init(group: group, attempts: attempts, dueAt: dueAt, lastError: attempts > 0 ? "not now" : nil)
            }
            let lost = try await store.settle(
                [
                    Settlement(seq: seqs[0]),
                    Settlement(seq: seqs[1], pending: [pending("b", 3, 700), pending("c", 0, 0)]),
                    Settlement(
                        seq: seqs[2], dead: [.init(group: "a", attempts: 7, reason: .attemptsUsedUp)],
                        pending: [pending("b", 1, 600)]),
                    Settlement(seq: seqs[3], dead: [.init(group: "a", attempts: 0, reason: .expired)]),
                    Settlement(seq: 77),
                ], shard: 0)
            #expect(lost == [77] || lost.isEmpty, "what is not there was nobody's")
            #expect(try await store.fresh(of: "b", after: 0, limit: 10).isEmpty)
            #expect(try await store.deliveries(of: "b", shard: 0, in: .due(now: 599), limit: 9).isEmpty)
            #expect(try await store.deliveries(of: "b", shard: 0, in: .due(now: 700), limit: 1) == [seqs[2]])
            #expect(try await store.deliveries(of: "b", shard: 0, in: .due(now: 700), limit: 9) == [seqs[2], seqs[1]])
            #expect(try await store.deliveries(of: "c", shard: 0, in: .waiting(after: 0), limit: 9) == [seqs[1]])
            #expect(try await store.deliveries(of: "c", shard: 0, in: .waiting(after: seqs[1]), limit: 9).isEmpty)

            let forB = try await store.load(seqs, for: "b", shard: 0)
            #expect(forB.map(\.seq) == [seqs[1], seqs[2]])
            #expect(forB.allSatisfy { $0.state == .tracked && $0.route.members.isEmpty })
            #expect(forB.map { $0.deliveries.map(\.group) } == [["b"], ["b"]])
            #expect(forB.map { $0.deliveries.map(\.attempts) } == [[3], [1]])
            #expect(
                try await store.deliveries(of: "b", shard: 0, in: .due(now: .max - 1), limit: 9).isEmpty,
                "what was taken is not due")
            #expect(try await store.load(seqs, for: "c", shard: 0).map(\.seq) == [seqs[1]])
            #expect(
                try await store.heldDeliveries(shard: 0, after: 0, limit: 9) == [
                    .init(seq: seqs[1], group: "b", attempts: 3), .init(seq: seqs[1], group: "c", attempts: 0),
                    .init(seq: seqs[2], group: "b", attempts: 1),
                ])

            #expect(
                try await store.settle(
                    [
                        Settlement(seq: seqs[1], wasTracked: true, done: ["b"]),
                        Settlement(seq: seqs[2], wasTracked: true, pending: [pending("b", 2, 900)]),
                    ], shard: 0
                ).isEmpty)
            #expect(try await store.deliveries(of: "b", shard: 0, in: .due(now: 900), limit: 9) == [seqs[2]])
            #expect(try await store.load(seqs, for: "b", shard: 0).map(\.deliveries[0].attempts) == [2])
            #expect(
                try await store.settle(
                    [
                        Settlement(seq: seqs[1], wasTracked: true, done: ["c"]),
                        Settlement(
                            seq: seqs[2], wasTracked: true, dead: [.init(group: "b", attempts: 3, reason: .expired)]),
                    ], shard: 0
                ).isEmpty)
            #expect(try await store.remaining(seqs).isEmpty)
            #expect(try await store.purge(shard: 0, decidedBefore: 0, deadLettersBefore: .max, limit: 2) == 2)
            #expect(try await store.purge(shard: 0, decidedBefore: 0, deadLettersBefore: .max, limit: 2) == 1)
        }
    }

    /// Each must see the other's row gone, or the message would stay for ever.
    @Test(arguments: stores) func twoGroupsThatFinishTogetherEndTheMessage(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let all = (0..<60).map { _ in messages.insertion(["a", "b"]) }
            _ = try await store.insert(all, shard: 0)
            _ = try await store.settle(
                all.map {
                    Settlement(
                        seq: $0.seq,
                        pending: [.init(held: "a", attempts: 0), .init(held: "b", attempts: 0)])
                }, shard: 0)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for group in ["a", "b"] {
                    for part in 0..<6 {
                        let batch = all[(part * 10)..<(part * 10 + 10)].map {
                            Settlement(seq: $0.seq, wasTracked: true, done: [group])
                        }
                        tasks.addTask {
                            let lost = try await store.settle(batch, shard: 0)
                            #expect(lost.isEmpty)
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            #expect(try await store.remaining(all.map(\.seq)).isEmpty)
        }
    }

    // MARK: Recovery

    @Test(arguments: stores) func aBacklogIsReadInPagesOldestFirst(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let all = (0..<100).map { messages.insertion($0 % 3 == 0 ? ["a"] : $0 % 3 == 1 ? ["a", "b"] : ["b"]) }
            _ = try await store.insert(all.shuffled(), shard: 0)
            let expected = all.filter { $0.route!.members.contains { $0.group == "a" } }.map(\.seq)
            var found: [Int64] = []
            while true {
                let page = try await store.fresh(of: "a", after: found.last ?? 0, limit: 7)
                found += page
                if page.count < 7 { break }
            }
            #expect(found == expected)
            #expect(try await store.fresh(of: "nobody", after: 0, limit: 7).isEmpty)
        }
    }

    @Test(arguments: stores) func ownFreshMessagesAreReadInPages(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let all = (0..<60).map { messages.insertion([["a"], ["a", "b"], ["b"], ["c"]][$0 % 4]) }
            _ = try await store.insert(all, shard: 0)
            _ = try await store.settle([Settlement(seq: all[0].seq)], shard: 0)
            for limit in [1, 7, 500] {
                for groups in [["a"], ["b"], ["a", "c"], ["nobody"], []] {
                    var found: [FreshMessage] = []
                    var place: FreshPlace?
                    repeat {
                        let page = try await store.ownFresh(
                            of: Set(groups.map(BindingName.init)), shard: 0, after: place, limit: limit)
                        #expect(page.messages.count <= limit)
                        found += page.messages
                        place = page.next
                    } while place != nil
                    let owed = all.dropFirst().filter { $0.route!.members.contains { groups.contains($0.group) } }
                    #expect(found.map(\.seq).sorted() == owed.map(\.seq), "\(groups), \(limit) a page")
                    #expect(found.allSatisfy { $0.route.members.contains { groups.contains($0.group) } })
                }
            }
        }
    }

    // MARK: Bindings

    @Test(arguments: stores) func bindingsAreRemembered(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            #expect(try await store.savedBindings(topics: ["trade"]) == nil)
            let bindings = [
                Binding(group: "a", topic: "trade", messageType: "paid", watermark: 10),
                Binding(group: "b", topic: "trade", messageType: "p.*", kind: .regx, persistent: false),
            ]
            try await store.saveBindings(bindings, topics: ["trade"])
            #expect(try await store.savedBindings(topics: ["trade"]) == bindings)
            try await store.saveBindings([], topics: ["trade"])
            #expect(try await store.savedBindings(topics: ["trade"]) == [], "known to be none is not unknown")
        }
    }
}
