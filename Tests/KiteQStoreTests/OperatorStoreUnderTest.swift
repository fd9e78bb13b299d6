import KiteQCore
import Testing

@testable import KiteQStore

/// A store as brokers and as operators see it.
typealias WholeStore = MessageStore & OperatorStore

extension StoreUnderTest {
    /// As ``withStore(_:)``.
    func withWholeStore(
        _ body: @escaping @Sendable (any WholeStore, @escaping @Sendable () -> any MessageStore) async throws -> Void
    ) async throws {
        try await withStore { store, open in
            let whole = try #require(store as? any WholeStore)
            try await body(whole, open)
        }
    }
}

extension MessageStore {
    /// Inserts messages into the first shard; returns them.
    @discardableResult func put(_ insertions: [Insertion]) async throws -> [Insertion] {
        for start in stride(from: 0, to: insertions.count, by: 500) {
            let some = Array(insertions[start..<min(start + 500, insertions.count)])
            let outcomes = try await insert(some, shard: 0)
            #expect(outcomes.allSatisfy { $0 == .stored })
        }
        return insertions
    }
}

extension OperatorStore {
    /// Every page of a search; `next` goes through its text.
    func all(
        _ filter: MessageFilter, _ order: MessageCursor.Order = .oldestFirst, limit: Int
    ) async throws -> [MessageSummary] {
        var found: [MessageSummary] = []
        var cursor: MessageCursor? = MessageCursor(order, shards: shardMap.shardCount)
        while let place = cursor {
            let page = try await messages(filter, after: place, limit: limit)
            #expect(page.messages.count <= limit && page.failures.isEmpty)
            found += page.messages
            cursor = page.next
            if let text = page.next?.description {
                #expect(MessageCursor(text) == page.next)
                #expect(page.next != place, "it goes on")
            }
        }
        return found
    }
}

let nobody: @Sendable (String, String) -> Route = { _, _ in Route.empty }
let groupA: @Sendable (String, String) -> Route = { _, _ in Route([.init(group: "a", persistent: true)]) }
