package import Foundation

extension API {
    /// Which dead letters are meant; nil: whatever it is.
    package struct DeadLetterFilter: Encodable, Sendable, Hashable {
        package var topic: String?
        package var group: String?
        /// attempts, expired or undecided.
        package var reason: String?
        /// Died at this time or later.
        package var from: Date?
        /// Died before this time.
        package var before: Date?

        package init() {}
    }

    /// Which dead letters an act is about.
    package enum DeadLetterSelection: Sendable {
        /// 1 to ``maxLetters``.
        case letters([String])
        /// All that match, which must be as many: else nothing is done.
        case filter(DeadLetterFilter, count: Int)

        package static let maxLetters = 500
    }

    package struct DeadLetter: Decodable, Sendable {
        /// `SHARD:ID`
        package let letter: String
        package let id: String
        /// Empty where it is undecided.
        package let group: String
        package let reason: String
        package let attempts: Int
        package let lastError: String?
        package let diedAt: Date
        package let topic: String
        package let messageType: String
        package let publisherGroup: String
        package let publishedAt: Date
    }

    package struct DeadLetterDetail: Decodable, Sendable {
        package let deadLetter: DeadLetter
        /// Nil where the role is `counts`.
        package let content: Content?
    }

    /// What became of them.
    package struct DeadLetterResult: Decodable, Sendable {
        package let done: Int
        package let skipped: [Skipped]

        package init(done: Int, skipped: [Skipped]) {
            self.done = done
            self.skipped = skipped
        }

        package struct Skipped: Decodable, Sendable {
            package let letter: String
            package let reason: String
        }
    }
}

extension API {
    /// What is done with them is in the path.
    struct DeadLetterAct: Sendable {
        let selection: DeadLetterSelection
        let reason: String?
    }
}

extension API.DeadLetterAct: Encodable {
    private enum Key: CodingKey {
        case letters
        case filter
        case count
        case reason
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encodeIfPresent(reason, forKey: .reason)
        switch selection {
        case .letters(let letters): try container.encode(letters, forKey: .letters)
        case .filter(let filter, let count):
            try container.encode(filter, forKey: .filter)
            try container.encode(count, forKey: .count)
        }
    }
}
