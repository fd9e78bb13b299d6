import HTTPTypes
import Hummingbird

/// Why an act is done, for the audit log: 1 to 500 characters.
struct ReasonText: Decodable, Sendable {
    var text: String

    init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
        guard (1...500).contains(text.unicodeScalars.count) else {
            throw Problem(.badRequest, "the reason must have 1 to 500 characters")
        }
    }
}

/// The body of an act that nobody does without saying why.
struct Reason: Decodable, Sendable {
    var reason: String

    private enum Key: String, CodingKey, CaseIterable { case reason }

    init(from decoder: any Decoder) throws {
        try decoder.refuseOthers(than: Key.self)
        reason = try decoder.container(keyedBy: Key.self).decode(ReasonText.self, forKey: .reason).text
    }
}

/// The body of an act for which a reason may be given; there may be no body at all.
struct OptionalReason: Decodable, Sendable {
    var reason: String?

    /// For the audit log.
    var detail: [String: String] { reason.map { ["reason": $0] } ?? [:] }

    private enum Key: String, CodingKey, CaseIterable { case reason }

    /// - Throws: ``Problem``.
    init(of request: Request) async throws {
        self = try await JSONText.decodeIfPresent(Self.self, from: request, limit: Limits.smallBody) ?? Self()
    }

    private init() {}

    init(from decoder: any Decoder) throws {
        try decoder.refuseOthers(than: Key.self)
        reason = try decoder.container(keyedBy: Key.self).decodeIfPresent(ReasonText.self, forKey: .reason)?.text
    }
}
