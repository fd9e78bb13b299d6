extension API {
    /// An error as the API says it (RFC 9457).
    package struct Problem: Decodable, Sendable, Hashable {
        package let title: String
        package let status: Int
        package let detail: String
        /// How many match now, where the count asked back was another.
        package let count: Int?
    }

    package struct Count: Decodable, Sendable, Hashable {
        package let count: Int
        /// There may be more: counting ended at a bound.
        package let isAtLeast: Bool
    }

    /// What was done, in a sentence.
    package struct Done: Decodable, Sendable {
        package let done: String
    }

    /// A shard that did not answer in time.
    package struct Unreachable: Decodable, Sendable, Hashable {
        package let shard: Int
        package let reason: String
    }

    /// A part of a listing. It may be shorter than was asked for, even empty, and not be the last.
    package struct Page<Item: Sendable>: Sendable {
        package let items: [Item]
        /// Nil at the end.
        package let next: String?
        /// What these shards have is missing.
        package let unreachable: [Unreachable]
    }

    package struct Lease: Decodable, Sendable {
        package let shard: Int
        /// Seconds; 0 or less: it has run out.
        package let remaining: Double
    }

    /// For the audit log.
    struct Reason: Encodable {
        let reason: String?
    }
}

extension API.Page: Decodable where Item: Decodable {
    private enum Key: CodingKey {
        case items
        case next
        case unreachable
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        items = try container.decode([Item].self, forKey: .items)
        next = try container.decodeIfPresent(String.self, forKey: .next)
        unreachable = try container.decodeIfPresent([API.Unreachable].self, forKey: .unreachable) ?? []
    }
}
