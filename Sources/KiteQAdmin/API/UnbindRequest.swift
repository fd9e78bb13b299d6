import HTTPTypes

/// The body of what ends a group's bindings.
struct UnbindRequest: Decodable, Sendable {
    var reason: String
    /// Nil: all topics that the broker knows the group to be bound to.
    var topics: [String]?

    private enum Key: String, CodingKey, CaseIterable { case reason, topics }

    init(from decoder: any Decoder) throws {
        try decoder.refuseOthers(than: Key.self)
        let container = try decoder.container(keyedBy: Key.self)
        reason = try container.decode(ReasonText.self, forKey: .reason).text
        topics = try container.decodeIfPresent([String].self, forKey: .topics)
        if let topics {
            guard (1...100).contains(topics.count), topics.allSatisfy({ (1...255).contains($0.utf8.count) }) else {
                throw Problem(.badRequest, "topics must be 1 to 100 names of 1 to 255 bytes")
            }
        }
    }
}
