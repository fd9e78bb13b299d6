import KiteQCore
import Testing

@testable import KiteQStore

/// Searching messages, in every store: pages by seq that miss nothing and give nothing twice.
@Suite(.timeLimit(.minutes(2))) struct OperatorSearchTests {
    private static let stores = StoreUnderTest.available

    /// 300 messages of three topics: a third each for a, for a and b, and half; some of them tracked.
    private func fill(_ store: any WholeStore) async throws -> [Insertion] {
        var messages = Messages()
        let routes: [[String]?] = [["a"], ["a", "b"], nil]
        let all = try await store.put(
            (0..<300).map { messages.insertion(routes[$0 % 3], Messages.message(topic: "t\($0 / 3 % 3)")) })
        let tracked = all.filter { $0.route?.members.count == 2 }.prefix(50).map { insertion in
            Settlement(
                seq: insertion.seq,
                pending: [
                    .init(group: "a", attempts: 1, dueAt: insertion.seq % 2 == 0 ? 0 : 7_000 - insertion.seq),
                    .init(held: "b", attempts: 1),
                ])
        }
        #expect(try await store.settle(tracked, shard: 0).isEmpty)
        return all
    }

    private func filter(_ change: (inout MessageFilter) -> Void) -> MessageFilter {
        var filter = MessageFilter()
        change(&filter)
        return filter
    }

    @Test(arguments: stores) func everyFilterGivesAllInBothOrders(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            let all = try await fill(store)
            let tracked = Set(all.filter { $0.route?.members.count == 2 }.prefix(50).map(\.seq))
            func check(
                _ filter: MessageFilter, _ isMeant: (Insertion) -> Bool, line: SourceLocation = #_sourceLocation
            ) async throws {
                let wanted = all.filter(isMeant).map(\.seq)
                for limit in [7, 500] {
                    let up = try await store.all(filter, limit: limit)
                    #expect(up.map(\.seq) == wanted, sourceLocation: line)
                    let down = try await store.all(filter, .newestFirst, limit: limit)
                    #expect(down.map(\.seq) == wanted.reversed(), sourceLocation: line)
                }
            }
            func isFor(_ group: String, _ insertion: Insertion) -> Bool {
                insertion.route?.members.contains { $0.group == group } == true
            }
            try await check(MessageFilter()) { _ in true }
            try await check(filter { $0.topic = "t1" }) { $0.message.topic == "t1" }
            try await check(filter { $0.messageType = "paid" }) { _ in true }
            try await check(filter { $0.messageType = "other" }) { _ in false }
            try await check(filter { $0.state = .half }) { $0.isHalf }
            try await check(filter { $0.state = .tracked }) { tracked.contains($0.seq) }
            try await check(filter { $0.state = .fresh }) { !$0.isHalf && !tracked.contains($0.seq) }
            try await check(filter { $0.group = "a" }) { isFor("a", $0) }
            try await check(filter { $0.group = "b" }) { isFor("b", $0) }
            try await check(filter { $0.group = "nobody" }) { _ in false }
            try await check(filter { ($0.group, $0.state) = ("a", .tracked) }) { tracked.contains($0.seq) }
            try await check(filter { ($0.group, $0.state) = ("b", .fresh) }) {
                isFor("b", $0) && !tracked.contains($0.seq)
            }
            try await check(filter { ($0.group, $0.state) = ("a", .half) }) { _ in false }
            try await check(filter { ($0.group, $0.topic) = ("a", "t2") }) {
                isFor("a", $0) && $0.message.topic == "t2"
            }
        }
    }

    @Test(arguments: stores) func timesAreRangesOfSeqs(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            let start: Timestamp = 1_800_000_000_000
            var generator = SequenceGenerator(incarnation: 7)
            var all: [Insertion] = []
            for number in 0..<40 {
                let seq = generator.next(now: start + Timestamp(number) * 1_000)
                all.append(
                    Insertion(
                        seq: seq, message: Messages.message(), route: Route([.init(group: "a", persistent: true)]),
                        connectionGroup: "p", firstCheckAt: 0))
            }
            try await store.put(all)
            for group in [nil, "a"] {
                let some = filter {
                    $0.group = group
                    $0.acceptedFrom = start + 10_000
                    $0.acceptedBefore = start + 20_000
                }
                #expect(try await store.all(some, limit: 3).map(\.seq) == all[10..<20].map(\.seq))
                #expect(
                    try await store.all(some, .newestFirst, limit: 3).map(\.seq) == all[10..<20].reversed().map(\.seq))
            }
            let first = try await store.messages(
                MessageFilter(), after: MessageCursor(.oldestFirst, shards: 1), limit: 1)
            #expect(first.messages.first?.acceptedAt == start)
        }
    }

    @Test(arguments: stores) func aCursorOfAnotherStoreIsRefused(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            await #expect(throws: StoreError.self) {
                try await store.messages(MessageFilter(), after: MessageCursor(.oldestFirst, shards: 3), limit: 1)
            }
            await #expect(throws: StoreError.self) {
                try await store.openTransactions(after: TransactionCursor(shards: 2), limit: 1)
            }
            await #expect(throws: StoreError.self) {
                try await store.deadLetters(DeadLetterFilter(), after: DeadLetterCursor(shards: 2), limit: 1)
            }
        }
    }

    @Test func textThatIsNoCursorIsNone() {
        for text in ["", "o", "o:", "x:1", "o:1,", "o:-2", "n:1:2", "o:abc", "o:99999999999999999999"] {
            #expect(MessageCursor(text) == nil, "\(text)")
        }
        for text in ["", "1", "1.", "1.2,", "a.b"] { #expect(TransactionCursor(text) == nil, "\(text)") }
        let cursor = TransactionCursor(shards: 2)
        #expect(TransactionCursor(cursor.description) == cursor)
    }

    /// A topic that is rare among many messages: pages are short, and none of them reads much.
    @Test(arguments: StoreUnderTest.servers) func aRareTopicIsFoundInShortPages(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            var messages = Messages()
            try await store.put((0..<5_000).map { _ in messages.insertion(["a"], Messages.message("x")) })
            let rare = try await store.put([messages.insertion(["a"], Messages.message(topic: "rare"))])
            for group in [nil, "a"] {
                let wanted = filter { ($0.topic, $0.group) = ("rare", group) }
                let first = try await store.messages(wanted, after: MessageCursor(.oldestFirst, shards: 1), limit: 10)
                #expect(first.messages.isEmpty && first.next != nil)
                #expect(try await store.all(wanted, limit: 10).map(\.id) == rare.map(\.message.id))
                #expect(try await store.all(wanted, .newestFirst, limit: 10).map(\.id) == rare.map(\.message.id))
            }
        }
    }
}
