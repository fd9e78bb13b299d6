import KiteQCore

/// When an operator's question to one shard has to be answered.
struct OperatorDeadline: Sendable {
    static let limit: Duration = .seconds(5)

    private let shard: Int
    private let end: ContinuousClock.Instant

    init(shard: Int) {
        self.shard = shard
        end = .now + Self.limit
    }

    var isOver: Bool { .now >= end }
    /// Whether so little time has passed that nothing of it was spent on waiting.
    var isFresh: Bool { .now < end - Self.limit / 2 }

    /// To be called between statements: none of them is long, but there may be many.
    func check() throws {
        if isOver { throw StoreError(.unavailable, "shard \(shard) did not answer within \(Self.limit)") }
    }
}
