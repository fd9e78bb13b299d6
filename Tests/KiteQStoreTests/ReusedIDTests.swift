import KiteQCore
import NIOCore
import Testing

@testable import KiteQStore

/// An id that is used again, in every state that a store can have it in: ``KnownID``, as each store keeps to it.
@Suite(.timeLimit(.minutes(2))) struct ReusedIDTests {
    enum State: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case absent, fresh, tracked, done, dead
        case undecided, committed, committedAndTracked, committedAndDone, committedForNobody, committedAndDead
        case rolledBack, parked

        var testDescription: String { rawValue }

        /// Nil: stored.
        var committed: Insertion.Outcome? {
            switch self {
            case .absent, .done, .dead, .committedAndDone, .committedForNobody, .committedAndDead, .rolledBack, .parked:
                nil
            case .fresh, .tracked, .committed, .committedAndTracked: .duplicate(of: 0)
            case .undecided: .taken(.undecided)
            }
        }

        var half: Insertion.Outcome? {
            switch self {
            case .absent, .done, .dead: nil
            case .fresh, .tracked: .taken(.committedMessage)
            case .undecided, .committed, .committedAndTracked: .duplicate(of: 0)
            case .committedAndDone, .committedForNobody, .committedAndDead: .committedBefore
            case .rolledBack: .taken(.rolledBack)
            case .parked: .taken(.parked)
            }
        }
    }

    @Test(arguments: StoreUnderTest.available, State.allCases)
    func eachStateMeetsBothKindsOfPublish(kind: StoreUnderTest, state: State) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            for isHalf in [false, true] {
                let first = try await bring(to: state, store, &messages)
                let again = messages.insertion(isHalf ? nil : ["a"], first.message)
                let bystander = messages.insertion(["a"])
                let outcomes = try await store.insert([bystander, again], shard: 0)
                var expected = isHalf ? state.half : state.committed
                if case .duplicate = expected { expected = .duplicate(of: first.seq) }
                #expect(outcomes == [.stored, expected ?? .stored], "half: \(isHalf)")
                // What is acknowledged as stored is owed, or half.
                let isThere = try await store.fresh(of: "a", after: 0, limit: 100).contains(again.seq)
                #expect(isThere == (expected == nil && !isHalf), "half: \(isHalf)")
                if expected == nil && isHalf {
                    guard case .committed(again.seq, _, _) = try await decide(store, again, .commit) else {
                        Issue.record("it was not stored")
                        return
                    }
                }
            }
        }
    }

    /// One after the other in one batch, as a client that does not wait for its answers sends them.
    @Test(arguments: StoreUnderTest.available) func inOneBatchTheFirstCounts(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let half = messages.insertion(nil)
            let committed = messages.insertion(["a"], half.message)
            let again = messages.insertion(nil, half.message)
            #expect(
                try await store.insert([half, committed, again], shard: 0)
                    == [.stored, .taken(.undecided), .duplicate(of: half.seq)])
            guard case .rolledBack = try await decide(store, half, .rollBack) else {
                Issue.record("not rolled back")
                return
            }
            let (late, anew, last) = (
                messages.insertion(nil, half.message), messages.insertion(["a"], half.message),
                messages.insertion(nil, half.message)
            )
            #expect(try await store.insert([late, last], shard: 0) == [.taken(.rolledBack), .taken(.rolledBack)])
            #expect(
                try await store.insert([anew, last], shard: 0) == [.stored, .taken(.committedMessage)],
                "a committed publish begins a new life, which a packet that comes late does not touch")
        }
    }

    @Test(arguments: StoreUnderTest.available) func anIDIsOneMessage(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            for groups in [["a"], nil] {
                let first = messages.insertion(groups)
                #expect(try await store.insert([first], shard: 0) == [.stored])
                for other in Self.others(than: first.message) {
                    #expect(
                        try await store.insert([messages.insertion(groups, other)], shard: 0)
                            == [.taken(.otherMessage)])
                }
                let changed = messages.insertion(groups, first.message.with(body: ByteBuffer(string: "other")))
                #expect(try await store.insert([changed], shard: 0) == [.taken(.otherBody)])
                // A producer that lost its ack: another createTime, filled in by another broker, makes no other message.
                let again = messages.insertion(groups, first.message.with(publishedAt: 1_800_000_000_000))
                #expect(try await store.insert([again], shard: 0) == [.duplicate(of: first.seq)])
            }
            let half = messages.insertion(nil)
            #expect(try await store.insert([half], shard: 0) == [.stored])
            var stranger = messages.insertion(nil, half.message)
            stranger.connectionGroup = "p-other"
            #expect(try await store.insert([stranger], shard: 0) == [.taken(.otherMessage)])
        }
    }

    /// Some of a batch are there, as others' and as its own; the rest is stored.
    @Test(arguments: StoreUnderTest.available) func aSquattedIDHoldsUpNothingElse(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let own = messages.insertion(["a"])
            let squatted = messages.insertion(["a"], Messages.message().with(topic: "feed", publisherGroup: "s-feed"))
            #expect(try await store.insert([own, squatted], shard: 0) == [.stored, .stored])
            let batch = [
                messages.insertion(["a"], own.message),
                messages.insertion(["a"], Messages.message().with(id: squatted.message.id)), messages.insertion(["a"]),
            ]
            #expect(
                try await store.insert(batch, shard: 0)
                    == [.duplicate(of: own.seq), .taken(.otherMessage), .stored])
        }
    }

    /// What is remembered of a half message that is gone says nothing true of another message under its id.
    @Test(arguments: StoreUnderTest.available) func aHalfMessageThatIsGoneIsNoOther(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            for state in [State.committedAndDone, .rolledBack, .parked] {
                var messages = Messages(from: Int64.random(in: 1...1_000) * 1_000)
                let first = try await bring(to: state, store, &messages)
                for other in Self.others(than: first.message) {
                    #expect(
                        try await store.insert([messages.insertion(nil, other)], shard: 0) == [.taken(.otherMessage)],
                        "\(state)")
                }
                var stranger = messages.insertion(nil, first.message)
                stranger.connectionGroup = "p-other"
                #expect(try await store.insert([stranger], shard: 0) == [.taken(.otherMessage)], "\(state)")
            }
        }
    }

    /// Where groups show who they are, what a header says gives nobody a say.
    @Test(arguments: StoreUnderTest.available) func aHeadersGroupDecidesNothing(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let half = messages.insertion(nil)
            #expect(try await store.insert([half], shard: 0) == [.stored])
            func answer(_ group: String, trustsHeader: Bool) -> TransactionDecision {
                TransactionDecision(
                    messageID: half.message.id, answer: .commit, connectionGroup: group, trustsHeader: trustsHeader,
                    needsContent: false, heldSeq: half.seq + 1)
            }
            let route: @Sendable (String, String) -> Route? = { _, _ in Route([.init(group: "a", persistent: true)]) }
            let forged = try await store.decide([answer("p-pay", trustsHeader: false)], shard: 0, route: route)[0]
            guard case .wrongGroup = forged else {
                Issue.record("the header's group decided it: \(forged)")
                return
            }
            let own = try await store.decide([answer("p-connection", trustsHeader: false)], shard: 0, route: route)[0]
            guard case .committed(half.seq, _, let message?) = own else {
                Issue.record("its bytes are not those that the broker has: \(own)")
                return
            }
            #expect(message.body == half.message.body)
        }
    }

    private static func others(than message: Message) -> [Message] {
        [
            message.with(topic: "feed"), message.with(topic: "Trade"), message.with(messageType: "sent"),
            message.with(publisherGroup: "s-feed"), message.with(publisherGroup: "P-pay"),
        ]
    }

    // MARK: States

    private func bring(to state: State, _ store: any MessageStore, _ messages: inout Messages) async throws -> Insertion
    {
        let isHalf: Bool
        switch state {
        case .absent, .fresh, .tracked, .done, .dead: isHalf = false
        default: isHalf = true
        }
        let first = messages.insertion(isHalf ? nil : ["a"])
        guard state != .absent else { return first }
        #expect(try await store.insert([first], shard: 0) == [.stored])
        switch state {
        case .committed, .committedAndTracked, .committedAndDone, .committedAndDead:
            guard case .committed = try await decide(store, first, .commit) else { throw Wrong() }
        case .committedForNobody:
            guard case .committedForNobody = try await decide(store, first, .commit, to: []) else { throw Wrong() }
        case .rolledBack:
            guard case .rolledBack = try await decide(store, first, .rollBack) else { throw Wrong() }
        case .parked:
            let check = TransactionCheck(seq: first.seq, previousCheckAt: 5_000, action: .park)
            #expect(try await store.reschedule([check], shard: 0) == [first.seq])
        case .absent, .fresh, .tracked, .done, .dead, .undecided: break
        }
        switch state {
        case .tracked, .committedAndTracked:
            let pending = Settlement.Pending(group: "a", attempts: 1, dueAt: 4_000_000_000_000)
            #expect(try await store.settle([Settlement(seq: first.seq, pending: [pending])], shard: 0).isEmpty)
        case .done, .committedAndDone:
            #expect(try await store.settle([Settlement(seq: first.seq)], shard: 0).isEmpty)
        case .dead, .committedAndDead:
            let dead = Settlement.Dead(group: "a", attempts: 7, reason: .attemptsUsedUp)
            #expect(try await store.settle([Settlement(seq: first.seq, dead: [dead])], shard: 0).isEmpty)
        default: break
        }
        return first
    }

    private struct Wrong: Error {}

    private func decide(
        _ store: any MessageStore, _ insertion: Insertion, _ answer: TransactionDecision.Answer,
        to groups: [String] = ["a"]
    ) async throws -> TransactionDecision.Outcome {
        try await store.decide(
            [
                TransactionDecision(
                    messageID: insertion.message.id, answer: answer, connectionGroup: "p-pay", needsContent: false)
            ], shard: 0, route: { _, _ in Route(groups.map { .init(group: $0, persistent: true) }) })[0]
    }
}
