import KiteQCore
import NIOCore
import Testing

@testable import KiteQStore

/// A group that handled a message after its attempt had been given up is done with it, whoever has it by then.
@Suite(.timeLimit(.minutes(2))) struct LateSuccessTests {
    private static let stores = StoreUnderTest.available
    private static let another = BrokerIdentity(name: "another broker", address: "127.0.0.1:2")

    @Test(arguments: stores) func aRowThatWaitsForItsTimeIsEnded(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let (both, one) = (messages.insertion(["a", "b"]), messages.insertion(["a"]))
            _ = try await store.insert([both, one], shard: 0)
            _ = try await store.settle(
                [
                    Settlement(
                        seq: both.seq,
                        pending: [.init(group: "a", attempts: 3, dueAt: 900), .init(group: "b", attempts: 0, dueAt: 0)]),
                    Settlement(seq: one.seq, pending: [.init(group: "a", attempts: 3, dueAt: 900)]),
                ], shard: 0)
            #expect(
                try await store.settle(
                    [Settlement(seq: both.seq, late: ["a"]), Settlement(seq: one.seq, late: ["a"])], shard: 0
                ).isEmpty)
            #expect(try await store.deliveries(of: "a", shard: 0, in: .due(now: 1_000), limit: 10).isEmpty)
            #expect(try await store.remaining([both.seq, one.seq]) == [both.seq], "b is still owed it")
        }
    }

    @Test(arguments: stores) func aRowInAnotherBrokersHandsIsEnded(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, open async throws in
            var messages = Messages()
            let message = messages.insertion(["a"])
            _ = try await store.insert([message], shard: 0)
            _ = try await store.settle(
                [Settlement(seq: message.seq, pending: [.init(group: "a", attempts: 1, dueAt: 5)])], shard: 0)
            try await running(open()) { other async throws in
                _ = try await other.join(as: Self.another)
                #expect(try await other.load([message.seq], for: "a", shard: 0).count == 1)
                _ = try await store.settle([Settlement(seq: message.seq, late: ["a"])], shard: 0)
                let failed = Settlement(
                    seq: message.seq, wasTracked: true, pending: [.init(group: "a", attempts: 2, dueAt: 5)])
                #expect(try await other.settle([failed], shard: 0) == [message.seq], "it does not come to life again")
            }
            #expect(try await store.remaining([message.seq]).isEmpty)
        }
    }

    /// One that a person is to decide about is not the group's to end.
    @Test(arguments: stores) func aDeadLetterIsTakenBack(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let message = messages.insertion(["a", "b"])
            _ = try await store.insert([message], shard: 0)
            _ = try await store.settle(
                [
                    Settlement(
                        seq: message.seq,
                        dead: ["a", "b"].map { .init(group: $0, attempts: 1, reason: .attemptsUsedUp) })
                ], shard: 0)
            _ = try await store.settle([Settlement(seq: message.seq, late: ["a"])], shard: 0)
            let operators = try #require(store as? any OperatorStore)
            let letters = try await operators.deadLetters(DeadLetterFilter(), after: nil, limit: 10)
            #expect(letters.letters.map(\.group) == ["b"])
            _ = try await store.settle([Settlement(seq: message.seq, late: ["a"])], shard: 0)
        }
    }

    // MARK: Sizes

    /// Small ones first, then large ones: no more is read than there is room for.
    @Test(arguments: stores) func loadingEndsWhereTheBytesDo(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            var messages = Messages()
            let small = (0..<8).map { _ in messages.insertion(["a"]) }
            let large = (0..<4).map { _ in
                messages.insertion(["a"], Messages.message().with(body: ByteBuffer(repeating: 1, count: 100_000)))
            }
            _ = try await store.insert(small + large, shard: 0)
            let seqs = (small + large).map(\.seq)
            let first = try await store.load(seqs, for: "a", shard: 0, maxBytes: 250_000)
            #expect(first.count == 10 && first.messages.map(\.seq) == Array(seqs.prefix(10)))
            let second = try await store.load(Array(seqs.dropFirst(10)), for: "a", shard: 0, maxBytes: 10)
            #expect(second.count == 1 && second.messages.count == 1, "one at least")
            let gone = try await store.load([1, 2, seqs[0]], for: "a", shard: 0, maxBytes: 1)
            #expect(gone.count == 3 && gone.messages.map(\.seq) == [seqs[0]], "what is not there takes no room")
        }
    }

    /// What does not fit is left alone: another broker may take it.
    @Test(arguments: stores) func whatDoesNotFitIsNotTaken(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, open async throws in
            var messages = Messages()
            let all = (0..<3).map { _ in messages.insertion(["a"]) }
            _ = try await store.insert(all, shard: 0)
            _ = try await store.settle(
                all.map { Settlement(seq: $0.seq, pending: [.init(group: "a", attempts: 1, dueAt: 5)]) }, shard: 0)
            #expect(try await store.load(all.map(\.seq), for: "a", shard: 0, maxBytes: 1).messages.count == 1)
            try await running(open()) { other async throws in
                _ = try await other.join(as: Self.another)
                #expect(
                    try await other.load(all.map(\.seq), for: "a", shard: 0).map(\.seq) == all.dropFirst().map(\.seq))
            }
        }
    }
}
