import KiteQCore
import MariaDB
import Testing

@testable import KiteQStore

/// Answers to half messages that a store cannot take at once: of topics that are not known here, and after they were parked.
@Suite(.timeLimit(.minutes(2))) struct LateAnswerTests {
    private static let stores = StoreUnderTest.available
    private static let unknown: @Sendable (String, String) -> Route? = { topic, messageType in
        topic == "feed" ? nil : groupA(topic, messageType)
    }

    private func decisions(
        _ answers: [(Insertion, TransactionDecision.Answer)], from group: String = "p-pay", content: Bool = true
    ) -> [TransactionDecision] {
        answers.map {
            TransactionDecision(
                messageID: $0.0.message.id, answer: $0.1, connectionGroup: group, needsContent: content)
        }
    }

    private func decide(
        _ store: any MessageStore, _ insertion: Insertion, _ answer: TransactionDecision.Answer,
        from group: String = "p-pay", route: @escaping @Sendable (String, String) -> Route? = groupA
    ) async throws -> String {
        let outcomes = try await store.decide(
            decisions([(insertion, answer)], from: group), shard: 0, route: route)
        return word(outcomes[0])
    }

    /// An outcome without what differs from run to run.
    private func word(_ outcome: TransactionDecision.Outcome) -> String {
        switch outcome {
        case .committed(_, let route, _): "committed for \(route.members.map(\.group))"
        case .committedForNobody(let topic, let type): "committed for nobody of \(topic)/\(type)"
        case .rolledBack: "rolled back"
        case .decidedLate(let outcome): "late: " + word(outcome)
        case .alreadyDecided(let first): "decided before: \(first)"
        case .unknownTopic(let undecided): "unknown topic \(undecided.topic), asked \(undecided.checks)"
        case .notYet(let reason): "not yet: \(reason)"
        case .unknown: "unknown"
        case .wrongGroup(let publisher): "of \(publisher)"
        }
    }

    private func park(_ store: any MessageStore, _ insertions: [Insertion]) async throws {
        let checks = insertions.map {
            TransactionCheck(seq: $0.seq, previousCheckAt: $0.firstCheckAt, action: .park)
        }
        #expect(try await store.reschedule(checks, shard: 0) == Set(insertions.map(\.seq)))
    }

    // MARK: Topics that are not known here

    @Test(arguments: stores) func whoDoesNotKnowTheTopicDecidesNothing(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let feed = try await store.put(
                (0..<3).map { _ in messages.insertion(nil, Messages.message(topic: "feed")) })
            let trade = try await store.put((0..<2).map { _ in messages.insertion(nil) })
            let batch = [
                (trade[0], TransactionDecision.Answer.commit), (feed[0], .commit), (feed[1], .rollBack),
                (trade[1], .commit), (feed[0], .rollBack),
            ]
            let outcomes = try await store.decide(decisions(batch), shard: 0, route: Self.unknown)
            #expect(
                outcomes.map(word) == [
                    "committed for [\"a\"]", "unknown topic feed, asked 0", "rolled back", "committed for [\"a\"]",
                    "unknown topic feed, asked 0",
                ], "the others are not held up, and a later answer does not overtake")
            guard case .unknownTopic(let undecided) = outcomes[1] else { return }
            #expect(undecided.place == .init(nextCheckAt: 5_000, seq: feed[0].seq))
            #expect(try await decide(store, feed[0], .commit, from: "thief", route: Self.unknown) == "of p-pay")

            // It is as it was: due, not locked, and decided by whoever knows the topic.
            let due = try await store.dueTransactions(shard: 0, after: nil, now: 5_000, limit: 10)
            #expect(due.map(\.seq) == [feed[0].seq, feed[2].seq])
            let check = TransactionCheck(
                seq: feed[0].seq, previousCheckAt: 5_000, action: .next(at: 4_000, checks: 0))
            #expect(try await store.reschedule([check], shard: 0) == [feed[0].seq], "the question may be made due")
            #expect(try await decide(store, feed[0], .commit) == "committed for [\"a\"]")
            #expect(try await store.fresh(of: "a", after: 0, limit: 10) == [feed[0].seq] + trade.map(\.seq))
            #expect(try await decide(store, feed[2], .commit, route: nobody) == "committed for nobody of feed/paid")
            #expect(try await store.dueTransactions(shard: 0, after: nil, now: 5_000, limit: 10).isEmpty)
        }
    }

    @Test(arguments: stores) func aPersonIsHelpedByWhatWasSaved(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let halves = try await store.put(
                (0..<4).map { _ in messages.insertion(nil, Messages.message(topic: "feed")) })
            try await park(store, [halves[3]])
            func commit(_ half: Insertion, to groups: [String] = []) async throws -> TransactionResolution {
                try await store.decide(half.message.id, .commit, to: groups, route: { _, _ in nil })
            }
            for half in [halves[0], halves[3]] {
                guard case .refused = try await commit(half) else {
                    Issue.record("committed, and nobody knows for whom")
                    return
                }
            }
            #expect(try await commit(halves[1], to: ["z"]) == .committed(groups: ["z"]))
            let rolledBack = try await store.decide(halves[2].message.id, .rollBack, to: [], route: { _, _ in nil })
            #expect(rolledBack == .rolledBack)
            try await store.saveBindings([Binding(group: "b", topic: "feed", messageType: "paid")], topics: ["feed"])
            for half in [halves[0], halves[3]] {
                #expect(try await commit(half) == .committed(groups: ["b"]))
            }
        }
    }

    // MARK: Parked ones

    @Test(arguments: stores) func aLateAnswerDecidesWhatWasParked(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let halves = try await store.put((0..<6).map { _ in messages.insertion(nil) })
            try await park(store, halves)
            #expect(try await decide(store, halves[0], .commit, from: "thief") == "of p-pay")
            #expect(
                try await decide(store, halves[0], .commit, route: { _, _ in nil }) == "unknown topic trade, asked 0")
            let batch = [
                (halves[0], TransactionDecision.Answer.commit), (halves[1], .rollBack), (halves[1], .commit),
                (halves[2], .commit), (halves[2], .rollBack),
            ]
            let outcomes = try await store.decide(decisions(batch), shard: 0, route: groupA)
            #expect(
                outcomes.map(word) == [
                    "late: committed for [\"a\"]", "late: rolled back", "decided before: rolledBack",
                    "late: committed for [\"a\"]", "decided before: committed",
                ])
            guard case .decidedLate(.committed(halves[0].seq, _, let message?)) = outcomes[0] else {
                Issue.record("\(outcomes[0])")
                return
            }
            #expect(message.body == halves[0].message.body && message.header == halves[0].message.header)
            #expect(
                try await decide(store, halves[3], .commit, route: nobody) == "late: committed for nobody of trade/paid"
            )
            #expect(try await decide(store, halves[4], .rollBack, from: "p-connection") == "late: rolled back")

            #expect(try await store.fresh(of: "a", after: 0, limit: 10) == [halves[0].seq, halves[2].seq])
            let left = try await store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).letters
            #expect(left.map(\.messageID) == [halves[5].message.id])
            for (half, outcome) in zip(
                halves, [.committed, .rolledBack, .committed, .committed] as [TransactionOutcome])
            {
                let story = try #require(try await store.story(of: half.message.id))
                #expect(story.transaction?.outcome == outcome && story.deadLetters.isEmpty)
                #expect(story.events.contains { $0.kind == .decided(outcome) })
            }
            // Not again.
            #expect(try await decide(store, halves[0], .commit) == "decided before: committed")
            #expect(try await decide(store, halves[1], .commit) == "decided before: rolledBack")
            let owed = try await store.load([halves[0].seq], for: "a", shard: 0)
            #expect(owed.map(\.state) == [.fresh] && owed.map(\.message.deliverLimit) == [7])
            #expect(try await store.settle([Settlement(seq: halves[0].seq)], shard: 0).isEmpty, "it is this broker's")
        }
    }

    @Test(arguments: stores) func oneThatExpiredLivesForAnHour(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let half = try await store.put([messages.insertion(nil, Messages.message().with(expiresAt: 6_000))])[0]
            try await park(store, [half])
            let outcome = try await store.decide(
                decisions([(half, .commit)], content: false), shard: 0, route: groupA)[0]
            guard case .decidedLate(.committed(_, _, let message?)) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            let expiresAt = try #require(try await store.story(of: half.message.id)?.message?.expiresAt)
            #expect(abs(expiresAt - StoreClock.wall() - DeadLetter.shortestLife) < 60_000)
            #expect(message.expiresAt == expiresAt, "a broker may have it in memory as it was")
        }
    }

    @Test(arguments: stores) func aPersonsDecisionStandsAgainstALateAnswer(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let halves = try await store.put((0..<4).map { _ in messages.insertion(nil) })
            try await park(store, halves)
            let letters = try await store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).letters
            func letter(_ half: Insertion) throws -> DeadLetterID {
                try #require(letters.first { $0.messageID == half.message.id }).id
            }
            #expect(try await store.deleteDeadLetters([letter(halves[0])]).count == 1)
            #expect(
                try await store.requeueDeadLetter(letter(halves[1]), lifetime: nil, to: ["a"])
                    == .requeued(groups: ["a"]))
            #expect(try await store.decide(halves[2].message.id, .rollBack, to: [], route: nobody) == .rolledBack)
            #expect(try await decide(store, halves[0], .commit) == "decided before: rolledBack")
            #expect(try await decide(store, halves[1], .rollBack) == "decided before: committed")
            #expect(try await decide(store, halves[2], .commit) == "decided before: rolledBack")
            // And the other way round: a person comes after the late answer.
            #expect(try await decide(store, halves[3], .rollBack) == "late: rolled back")
            #expect(try await store.requeueDeadLetter(letter(halves[3]), lifetime: nil, to: ["a"]) == .notFound)
            #expect(
                try await store.decide(halves[3].message.id, .commit, to: ["a"], route: nobody)
                    == .alreadyDecided(.rolledBack))
        }
    }

    @Test(arguments: stores) func whatIsParkedIsRememberedAsLongAsItsLetter(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let halves = try await store.put((0..<3).map { _ in messages.insertion(nil) })
            try await park(store, [halves[0], halves[1]])
            #expect(try await decide(store, halves[2], .rollBack) == "rolled back")
            #expect(
                try await store.purge(shard: 0, decidedBefore: .max, deadLettersBefore: 0, limit: 10) == 1,
                "the decided one alone")
            #expect(
                try await decide(store, halves[0], .commit, from: "p-connection") == "late: committed for [\"a\"]")
            #expect(try await store.purge(shard: 0, decidedBefore: .max, deadLettersBefore: .max, limit: 10) == 3)
            #expect(try await decide(store, halves[1], .commit) == "unknown")
        }
    }

    @Test(arguments: stores) func anIdThatIsUnderWayAgainIsNotRestored(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let half = try await store.put([messages.insertion(nil)])[0]
            try await park(store, [half])
            let again = messages.insertion(["a"], half.message)
            // Whether a store takes the id again is another matter.
            guard try await store.insert([again], shard: 0) == [.stored] else { return }
            #expect(try await decide(store, half, .commit) == "decided before: parked")
            #expect(try await store.settle([Settlement(seq: again.seq)], shard: 0).isEmpty)
            #expect(try await decide(store, half, .commit) == "late: committed for [\"a\"]")
        }
    }

    @Test(arguments: stores) func manyAreDecidedTogether(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let halves = try await store.put((0..<100).map { _ in messages.insertion(nil) })
            try await park(store, halves)
            let outcomes = try await store.decide(
                decisions(halves.map { ($0, .commit) }, content: false), shard: 0, route: groupA)
            #expect(outcomes.allSatisfy { word($0) == "late: committed for [\"a\"]" })
            #expect(try await store.fresh(of: "a", after: 0, limit: 200) == halves.map(\.seq))
        }
    }

    /// As a broker of an earlier version leaves it, which forgets what it parked after an hour.
    @Test(arguments: StoreUnderTest.servers) func theLetterAloneIsEnough(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let halves = try await store.put((0..<2).map { _ in messages.insertion(nil) })
            try await park(store, halves)
            let shard = try #require(store as? MySQLMessageStore).shards[0]
            try await shard.run { try $0.simple("DELETE FROM kite_transaction") }
            #expect(try await decide(store, halves[0], .commit, from: "p-connection") == "of p-pay")
            #expect(try await decide(store, halves[0], .commit) == "late: committed for [\"a\"]")
            #expect(try await decide(store, halves[1], .rollBack) == "late: rolled back")
            #expect(try await decide(store, halves[0], .rollBack) == "decided before: committed")
            #expect(try await store.story(of: halves[1].message.id)?.transaction?.outcome == .rolledBack)
        }
    }

    /// Late answers and a person's acts at the same letters: each is decided once.
    @Test(arguments: stores) func aLateAnswerAndAPersonMeet(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            let halves = try await store.put((0..<40).map { _ in messages.insertion(nil) })
            try await park(store, halves)
            let ids = try await store.deadLetters(DeadLetterFilter(), after: nil, limit: 100).letters.map(\.id)
            async let deleted = store.deleteDeadLetters(ids)
            async let decided = store.decide(decisions(halves.map { ($0, .commit) }), shard: 0, route: groupA)
            let (gone, outcomes) = try await (deleted, decided)
            let late = outcomes.count { word($0) == "late: committed for [\"a\"]" }
            let before = outcomes.count { word($0) == "decided before: rolledBack" }
            #expect(late + before == halves.count && gone.count == before)
            #expect(try await store.fresh(of: "a", after: 0, limit: 100).count == late)
        }
    }
}
