import KiteQCore
import Testing

@testable import KiteQStore

/// What operators do to every store.
@Suite(.timeLimit(.minutes(2))) struct OperatorActTests {
    private static let stores = StoreUnderTest.available

    private func answer(
        _ store: any WholeStore, _ insertion: Insertion, _ answer: TransactionDecision.Answer
    ) async throws -> TransactionDecision.Outcome {
        try await store.decide(
            [
                TransactionDecision(
                    messageID: insertion.message.id, answer: answer, connectionGroup: "p-pay", needsContent: false)
            ], shard: 0, route: groupA)[0]
    }

    private func park(_ store: any WholeStore, _ insertion: Insertion) async throws {
        let check = TransactionCheck(seq: insertion.seq, previousCheckAt: insertion.firstCheckAt, action: .park)
        #expect(try await store.reschedule([check], shard: 0) == [insertion.seq])
    }

    // MARK: Transactions

    @Test(arguments: stores) func openTransactionsComeInPages(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let halves = try await store.put((0..<25).map { _ in messages.insertion(nil) })
            try await store.put([messages.insertion(["a"])])
            let later = TransactionCheck(
                seq: halves[3].seq, previousCheckAt: 5_000, action: .next(at: 9_000, checks: 2))
            _ = try await store.reschedule([later], shard: 0)
            var found: [OpenTransaction] = []
            var cursor: TransactionCursor?
            repeat {
                let page = try await store.openTransactions(after: cursor, limit: 4)
                #expect(page.transactions.count <= 4 && page.failures.isEmpty)
                found += page.transactions
                cursor = page.next
                #expect(page.next.map { TransactionCursor($0.description) == $0 } ?? true)
            } while cursor != nil
            let order = (halves[..<3] + halves[4...] + [halves[3]]).map(\.seq)
            #expect(found.map(\.seq) == order)
            let last = try #require(found.last)
            #expect(last.checks == 2 && last.nextCheckAt == 9_000 && last.messageID == halves[3].message.id)
            #expect(last.topic == "trade" && last.messageType == "paid" && last.publisherGroup == "p-pay")
            #expect(last.connectionGroup == "p-connection" && last.publishedAt == 1_700_000_000_123)
            let end = await store.lastOpenTransactions(limit: 4)
            #expect(end.transactions == Array(found.reversed().prefix(4)) && end.failures.isEmpty)
        }
    }

    @Test(arguments: stores, [false, true])
    func aPersonDecidesAHalfMessageAlsoAParkedOne(kind: StoreUnderTest, isParked: Bool) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let halves = try await store.put((0..<3).map { _ in messages.insertion(nil) })
            if isParked { for half in halves { try await park(store, half) } }
            let ids = halves.map(\.message.id)

            guard case .refused = try await store.decide(ids[0], .commit, to: [], route: nobody) else {
                Issue.record("a commit for nobody is refused: the message would be gone")
                return
            }
            #expect(try await store.decide(ids[0], .commit, to: [], route: groupA) == .committed(groups: ["a"]))
            #expect(try await store.decide(ids[0], .commit, to: [], route: groupA) == .alreadyDecided(.committed))
            #expect(try await store.decide(ids[0], .rollBack, to: [], route: nobody) == .alreadyDecided(.committed))
            #expect(
                try await store.decide(ids[1], .commit, to: ["c", "b", "c"], route: nobody)
                    == .committed(groups: ["b", "c"]))
            #expect(try await store.decide(ids[2], .rollBack, to: [], route: nobody) == .rolledBack)
            #expect(try await store.decide(ids[2], .commit, to: [], route: groupA) == .alreadyDecided(.rolledBack))
            #expect(try await store.decide(.random(), .commit, to: [], route: groupA) == .unknown)

            // Whichever broker has the group takes it as any delivery whose time has come.
            let due = try await store.deliveries(of: "a", shard: 0, in: .due(now: .max - 1), limit: 10)
            #expect(due == [halves[0].seq])
            let loaded = try await store.load(due, for: "a", shard: 0)
            #expect(loaded.map(\.message.id) == [ids[0]] && loaded.map(\.message.body) == [halves[0].message.body])
            #expect(try await store.load([halves[1].seq], for: "c", shard: 0).count == 1)
            #expect(try await store.story(of: ids[2])?.message == nil, "rolled back")
            #expect(try await store.story(of: ids[0])?.transaction?.outcome == .committed)
            #expect(try await store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).letters.isEmpty)

            // A late answer of the producer meets the decision.
            guard case .alreadyDecided(.committed) = try await answer(store, halves[0], .rollBack),
                case .alreadyDecided(.rolledBack) = try await answer(store, halves[2], .commit)
            else {
                Issue.record("the first answer does not stand")
                return
            }
        }
    }

    @Test(arguments: stores) func aCommitGivesTimeToLive(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let half = try await store.put([messages.insertion(nil, Messages.message().with(expiresAt: 5_000))])[0]
            _ = try await store.decide(half.message.id, .commit, to: [], route: groupA)
            let expiresAt = try #require(try await store.story(of: half.message.id)?.message?.expiresAt)
            #expect(abs(expiresAt - StoreClock.wall() - 3_600_000) < 60_000)
        }
    }

    // MARK: Dead letters

    @Test(arguments: stores) func deadLettersAreListedCountedRequeuedAndDeleted(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let all = try await store.put(
                (0..<30).map { messages.insertion(["a", "b"], Messages.message(topic: "t\($0 % 3)")) })
            let dead = all.map { insertion in
                Settlement(
                    seq: insertion.seq,
                    dead: [
                        .init(group: "a", attempts: 7, reason: .attemptsUsedUp, lastError: "no"),
                        .init(group: "b", attempts: 1, reason: .expired),
                    ])
            }
            #expect(try await store.settle(dead, shard: 0).isEmpty)
            var letters: [DeadLetter] = []
            var cursor: DeadLetterCursor?
            repeat {
                let page = try await store.deadLetters(DeadLetterFilter(), after: cursor, limit: 7)
                letters += page.letters
                cursor = page.next
            } while cursor != nil
            #expect(letters.count == 60 && Set(letters.map(\.id)).count == 60)
            #expect(letters.first?.lastError == "no" && letters.first?.seq == all[0].seq)

            func count(_ change: (inout DeadLetterFilter) -> Void) async -> BoundedCount {
                var filter = DeadLetterFilter()
                change(&filter)
                return await store.deadLetterCount(filter).count
            }
            #expect(await count { _ in } == BoundedCount(60))
            #expect(await count { $0.group = "a" } == BoundedCount(30))
            #expect(await count { $0.topic = "t1" } == BoundedCount(20))
            #expect(await count { ($0.topic, $0.group) = ("t1", "b") } == BoundedCount(10))
            #expect(await count { $0.reasons = [.expired] } == BoundedCount(30))
            #expect(await count { $0.diedBefore = 1 } == .zero)
            #expect(await count { $0.diedFrom = 1 } == BoundedCount(60))

            let letter = try #require(letters.first { $0.group == "a" })
            #expect(try await store.deadLetter(letter.id) == letter)
            #expect(try await store.deadLetterContent(letter.id)?.body == all[0].message.body)
            #expect(try await store.requeueDeadLetter(letter.id, lifetime: nil, to: []) == .requeued(groups: ["a"]))
            #expect(try await store.requeueDeadLetter(letter.id, lifetime: nil, to: []) == .notFound)
            #expect(try await store.deadLetter(letter.id) == nil)
            #expect(try await store.deliveries(of: "a", shard: 0, in: .due(now: .max - 1), limit: 9) == [letter.seq])
            #expect(await store.groupReport(of: "a").report.retrying == BoundedCount(1))

            let others = letters.filter { $0.id != letter.id }.map(\.id)
            #expect(try await store.deleteDeadLetters(Array(others.prefix(20)) + [letter.id]) == Set(others.prefix(20)))
            #expect(await count { _ in } == BoundedCount(39))
            #expect(try await store.deleteDeadLetters([DeadLetterID(shard: 9, number: 1)]).isEmpty)
        }
    }

    // MARK: What lies in the first shard

    @Test(arguments: stores) func groupsArePausedAndResumed(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            #expect(try await store.pausedGroups().isEmpty)
            #expect(try await store.pause("b", by: "anna", reason: "poison message 風箏"))
            #expect(try await store.pause("a", by: "bert", reason: ""))
            #expect(try await !store.pause("b", by: "carl", reason: "mine"), "it is paused")
            #expect(try await store.pausedGroups() == ["a", "b"])
            let pauses = try await store.groupPauses()
            #expect(pauses.map(\.group) == ["a", "b"] && pauses[1].pausedBy == "anna")
            #expect(pauses[1].reason == "poison message 風箏" && abs(pauses[1].pausedAt - StoreClock.wall()) < 60_000)
            #expect(try await store.resume("b"))
            #expect(try await !store.resume("b"))
            #expect(try await store.pausedGroups() == ["a"])
        }
    }

    @Test(arguments: stores) func samplesAddUp(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            let (width, hour) = (TopicSample.width, Timestamp(3_600_000))
            let start = (StoreClock.wall() / hour - 5) * hour
            func sample(_ at: Timestamp, _ broker: String, _ topic: String, _ count: Int) -> TopicSample {
                TopicSample(
                    at: at, broker: broker, topic: topic,
                    counters: TopicCounters(
                        published: count, committed: 1, delivered: 2 * count, acknowledged: count, deadLettered: 3))
            }
            try await store.addSamples([])
            // More than one statement takes, twice.
            let many = (0..<24).flatMap { bucket in
                (0..<10).flatMap { topic in
                    ["x", "y"].map { sample(start + Timestamp(bucket) * width, $0, "t\(topic)", 5) }
                }
            }
            try await store.addSamples(many)
            try await store.addSamples(many)
            try await store.addSamples([sample(start + width - 1, "x", "t0", 100)])
            let hours = try await store.topicSeries(of: nil, from: start, before: start + 3 * hour, step: hour)
            #expect(hours.points.map(\.at) == [start, start + hour] && hours.step == hour)
            #expect(hours.points.map(\.counters.published) == [10 * 12 * 2 * 2 * 5 + 100, 10 * 12 * 2 * 2 * 5])
            #expect(hours.points[1].counters.committed == 480 && hours.points[1].counters.deadLettered == 1_440)
            // In more than one statement, and among names that are none.
            let some = try await store.topicSeries(
                of: ["t1"] + (0..<1_000).map { "none\($0)" } + ["t2", "t0"], from: start, before: start + 3 * hour,
                step: hour)
            #expect(some.points.map(\.counters.published) == [3 * 12 * 2 * 2 * 5 + 100, 3 * 12 * 2 * 2 * 5])
            let none = try await store.topicSeries(of: [], from: start, before: start + 3 * hour, step: hour)
            #expect(none.points.isEmpty)
            let one = try await store.topicSeries(of: ["t0"], from: start, before: start + hour, step: width)
            #expect(
                one.points.count == 12 && one.points[0].counters.published == 120
                    && one.points[1].counters.published == 20)
            for (from, before, step) in [
                (start, start, width), (start, start + hour, width + 1), (start, start + hour, 0),
                (0, start, width), (-1, start, hour),
            ] {
                await #expect(throws: StoreError.self) {
                    try await store.topicSeries(of: nil, from: from, before: before, step: step)
                }
            }
        }
    }

    @Test(arguments: stores) func theAuditLogIsReadNewestFirst(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var ids: [Int64] = []
            for number in 0..<12 {
                ids.append(
                    try await store.appendAudit(
                        AuditEntry(
                            actor: "anna", role: "operate", remote: "10.0.0.1:5", action: "groups.pause",
                            target: "g\(number)", detail: #"{"reason":"風箏"}"#, outcome: "done")))
            }
            #expect(ids == ids.sorted() && Set(ids).count == 12)
            let newest = try await store.auditEntries(before: nil, limit: 5)
            #expect(newest.map(\.id) == ids.suffix(5).reversed())
            #expect(newest[0].target == "g11" && newest[0].detail == #"{"reason":"風箏"}"# && newest[0].actor == "anna")
            #expect(abs(newest[0].at - StoreClock.wall()) < 60_000)
            #expect(
                try await store.auditEntries(before: newest.last?.id, limit: 100).map(\.id) == ids.prefix(7).reversed())
            let long = String(repeating: "風", count: 400)
            _ = try await store.appendAudit(
                AuditEntry(
                    actor: long, role: long, remote: "", action: "", target: long,
                    detail: String(repeating: "x", count: 20_000), outcome: long))
            let cut = try #require(try await store.auditEntries(before: nil, limit: 1).first)
            #expect(cut.actor == String(repeating: "風", count: 85) && cut.detail == #"{"cut":true}"#)
        }
    }

    @Test(arguments: stores) func oldSamplesArePurged(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            let now = StoreClock.wall()
            let old = now - TopicSample.retention - 10 * TopicSample.width
            let samples = (0..<30).map { number in
                TopicSample(
                    at: number < 25 ? old : now, broker: "x", topic: "t\(number)", counters: TopicCounters(published: 1)
                )
            }
            try await store.addSamples(samples)
            var gone: [Int] = []
            repeat {
                gone.append(try await store.purge(shard: 0, decidedBefore: 0, deadLettersBefore: 0, limit: 10))
            } while gone.last != 0
            #expect(gone == [10, 10, 5, 0])
            let left = try await store.topicSeries(
                of: nil, from: old - old % 3_600_000, before: now + 1, step: 3_600_000)
            #expect(left.points.map(\.counters.published) == [5])
        }
    }
}
