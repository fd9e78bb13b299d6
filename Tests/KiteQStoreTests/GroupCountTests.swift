import KiteQCore
import NIOCore
import Testing

@testable import KiteQStore

/// What every store says of groups that have limits.
@Suite(.timeLimit(.minutes(2))) struct GroupCountTests {
    static let stores = StoreUnderTest.available

    @Test(arguments: stores) func undecidedHalfMessagesAreCountedByTheirPublisher(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            #expect(try await store.undecidedByGroup(shard: 0, upTo: 100).isEmpty)
            var messages = Messages()
            var put: [Insertion] = []
            for group in ["p-one", "p-two", "p-one", "p-one"] {
                let insertion = messages.insertion(nil)
                put.append(
                    Insertion(
                        seq: insertion.seq, message: insertion.message, route: nil, connectionGroup: group,
                        firstCheckAt: 5_000))
            }
            try await store.put(put + [messages.insertion(["a"])])
            #expect(try await store.undecidedByGroup(shard: 0, upTo: 100) == ["p-one": 3, "p-two": 1])
            #expect(try await store.undecidedByGroup(shard: 0, upTo: 2).values.reduce(0, +) == 2)
            let decision = TransactionDecision(
                messageID: put[0].message.id, answer: .rollBack, connectionGroup: "p-one", needsContent: false)
            _ = try await store.decide([decision], shard: 0, route: { _, _ in nil })
            #expect(try await store.undecidedByGroup(shard: 0, upTo: 100) == ["p-one": 2, "p-two": 1])
        }
    }

    @Test(arguments: stores) func whatWaitsForAGroupIsCounted(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            #expect(try await store.waiting(for: "a", shard: 0, upTo: 100) == 0)
            var messages = Messages()
            let put = try await store.put((0..<7).map { messages.insertion($0 < 3 ? ["a"] : ["a", "b"]) })
            #expect(try await store.waiting(for: "a", shard: 0, upTo: 100) == 7)
            #expect(try await store.waiting(for: "b", shard: 0, upTo: 100) == 4)
            // Those that are owed to some of their groups count as well, whether they wait, are retried or are in a memory.
            let settlements = [
                Settlement(seq: put[4].seq, pending: [.init(group: "a", attempts: 1, dueAt: 9)]),
                Settlement(seq: put[5].seq, pending: [.init(group: "a", attempts: 0, dueAt: 0)]),
                Settlement(seq: put[6].seq, pending: [.init(held: "a", attempts: 1)]),
            ]
            #expect(try await store.settle(settlements + [Settlement(seq: put[0].seq)], shard: 0).isEmpty)
            #expect(try await store.waiting(for: "a", shard: 0, upTo: 100) == 6)
            #expect(try await store.waiting(for: "b", shard: 0, upTo: 100) == 1)
            #expect(try await store.waiting(for: "a", shard: 0, upTo: 5) == 5)
            #expect(try await store.waiting(for: "c", shard: 0, upTo: 5) == 0)
        }
    }
}
