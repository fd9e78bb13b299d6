import HTTPTypes
import KiteQCore

/// Which dead letters are asked for, in a query or in a body.
struct DeadLetterQuery: Decodable, Sendable {
    var topic: String?
    var group: String?
    var reason: DeadLetterReasonName?
    var from: Timestamp?
    var before: Timestamp?

    private enum Key: String, CodingKey, CaseIterable { case topic, group, reason, from, before }

    init(_ query: inout QueryReader) throws(Problem) {
        topic = try query.name("topic")
        group = try query.name("group")
        reason = try query.choice("reason", DeadLetterReasonName.self)
        from = try query.time("from")
        before = try query.time("before")
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseOthers(than: Key.self)
        let container = try decoder.container(keyedBy: Key.self)
        topic = try container.decodeIfPresent(Name.self, forKey: .topic)?.text
        group = try container.decodeIfPresent(Name.self, forKey: .group)?.text
        reason = try container.decodeIfPresent(DeadLetterReasonName.self, forKey: .reason)
        from = try container.decodeIfPresent(Time.self, forKey: .from)?.timestamp
        before = try container.decodeIfPresent(Time.self, forKey: .before)?.timestamp
    }

    /// For a listing.
    /// - Throws: ``Problem`` with 403 where it names what is not the caller's.
    func filter(for caller: Caller) throws(Problem) -> DeadLetterFilter {
        try caller.check(topic: topic)
        try caller.check(group: group)
        var filter = DeadLetterFilter()
        filter.scope = caller.scope
        filter.topic = topic
        filter.group = group
        if let reason { filter.reasons = [reason.reason] }
        filter.diedFrom = from
        filter.diedBefore = before
        return filter
    }

    /// For an act on all that match: undecided half messages only where they are asked for, for to give one back is to commit
    /// it, and to delete one is to roll it back.
    /// - Throws: as ``filter(for:)``.
    func actingFilter(for caller: Caller) throws(Problem) -> DeadLetterFilter {
        var filter = try filter(for: caller)
        if reason == nil { filter.reasons.remove(.undecided) }
        return filter
    }
}

/// A topic's, type's or group's name: 1 to 255 bytes.
struct Name: Decodable, Sendable {
    var text: String

    init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
        guard (1...255).contains(text.utf8.count) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a name has 1 to 255 bytes"))
        }
    }
}
