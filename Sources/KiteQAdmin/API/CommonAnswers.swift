import HTTPTypes
import KiteQCore

/// A shard whose part is missing in an answer.
struct UnreachableShard: Encodable, Sendable {
    var shard: Int
    var reason: String

    init(_ failure: ShardFailure) {
        shard = failure.shard
        reason = failure.reason
    }
}

/// A page over all shards.
struct Listing<Item: Encodable & Sendable>: Encodable, Sendable {
    var items: [Item]
    /// Where the next page begins; null at the end.
    @ExplicitNull var next: String?
    var unreachable: [UnreachableShard]
}

/// A number of rows, counted up to a bound.
struct CountAnswer: Encodable, Sendable {
    var count: Int
    var isAtLeast: Bool

    init(_ count: BoundedCount) {
        self.count = count.value
        isAtLeast = count.isAtLeast
    }
}

/// What an act did, in a sentence.
struct Done: Encodable, Sendable {
    var done: String
}

/// Bodies of requests, bytes.
enum Limits {
    static let smallBody = 64 << 10
    static let receiptsBody = 256 << 10
}

extension Problem {
    static let wrongCursor = Problem(.badRequest, "cursor is not one of this listing: begin without it")

    static let notServing = Problem(
        .serviceUnavailable, "this broker does not serve now: it starts, stops or joins anew")

    static func unreachable(_ failure: ShardFailure) -> Problem {
        Problem(.serviceUnavailable, "shard \(failure.shard) cannot be asked: \(failure.reason)")
    }
}

/// All that there is of something short.
struct Items<Item: Encodable & Sendable>: Encodable, Sendable {
    var items: [Item]
}
