import HTTPTypes
import KiteQCore

/// Which dead letters an act is for, and why.
struct DeadLetterSelection: Decodable, Sendable {
    enum Letters: Sendable {
        case named([DeadLetterID])
        /// All that match, if they are so many.
        case all(DeadLetterQuery, count: Int)

        var count: Int {
            switch self {
            case .named(let letters): letters.count
            case .all(_, let count): count
            }
        }
    }

    var letters: Letters
    var reason: String?

    private enum Key: String, CodingKey, CaseIterable { case letters, filter, count, reason }

    init(from decoder: any Decoder) throws {
        try decoder.refuseOthers(than: Key.self)
        let container = try decoder.container(keyedBy: Key.self)
        let texts = try container.decodeIfPresent([String].self, forKey: .letters)
        let filter = try container.decodeIfPresent(DeadLetterQuery.self, forKey: .filter)
        let count = try container.decodeIfPresent(Int.self, forKey: .count)
        reason = try container.decodeIfPresent(ReasonText.self, forKey: .reason)?.text
        switch (texts, filter, count) {
        case (let texts?, nil, nil):
            guard (1...500).contains(texts.count) else {
                throw Problem(.badRequest, "letters must be 1 to 500")
            }
            letters = .named(try texts.map(DeadLetterRoutes.id))
        case (nil, let filter?, let count?):
            letters = .all(filter, count: count)
        default:
            throw Problem(
                .badRequest, "give letters, or a filter with the count that POST /api/v1/dead-letters/count said")
        }
    }

    /// For the audit log.
    var target: String {
        switch letters {
        case .named(let letters) where letters.count == 1: letters[0].description
        case .named(let letters): "\(letters.count) dead letters"
        case .all(_, let count): "all \(count) that match"
        }
    }

    /// For the audit log. The filter has a reason of its own: that of the letters' death.
    var detail: [String: String] {
        var detail: [String: String] = [:]
        detail["reason"] = reason
        switch letters {
        case .named(let letters):
            detail["letters"] = letters.map(\.description).joined(separator: " ")
        case .all(let query, let count):
            detail["count"] = "\(count)"
            detail["filter.topic"] = query.topic
            detail["filter.group"] = query.group
            detail["filter.reason"] = query.reason?.rawValue
            detail["filter.from"] = query.from?.time.text
            detail["filter.before"] = query.before?.time.text
        }
        return detail
    }
}
