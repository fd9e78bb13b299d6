import Foundation
import HTTPTypes
import KiteQBroker
import KiteQCore
import NIOCore

/// How many messages, for how long to wait for the first, and how long they are the caller's. Seconds.
struct PullRequest: Decodable, Sendable {
    var max: Int
    var wait: Double
    var visibility: Double

    private enum Key: String, CodingKey, CaseIterable { case max, wait, visibility }

    init(from decoder: any Decoder) throws {
        try decoder.refuseOthers(than: Key.self)
        let container = try decoder.container(keyedBy: Key.self)
        max = try container.decodeIfPresent(Int.self, forKey: .max) ?? 1
        wait = try container.decodeIfPresent(Double.self, forKey: .wait) ?? 20
        visibility = try container.decodeIfPresent(Double.self, forKey: .visibility) ?? 30
        guard (1...100).contains(max) else { throw Problem(.badRequest, "max must be 1 to 100") }
        guard (0...30).contains(wait) else { throw Problem(.badRequest, "wait must be 0 to 30 seconds") }
        guard (1...600).contains(visibility) else {
            throw Problem(.badRequest, "visibility must be 1 to 600 seconds")
        }
    }
}

/// A message in the caller's hands.
struct PulledAnswer: Encodable, Sendable {
    var receipt: String
    var id: String
    var topic: String
    var messageType: String
    var publisherGroup: String
    var publishedAt: Time
    var attempt: Int
    var visibleAgainAt: Time
    var properties: [String: String]
    var text: String?
    var bytes: Data?

    /// Bytes of an answer whose messages have so many: bodies that are no text are base64.
    static func bytes(for messages: Int) -> Int { messages / 3 * 4 + 1_024 }

    init(_ pulled: PulledMessage) {
        let message = pulled.message
        receipt = pulled.receipt
        id = message.id.description
        topic = message.topic
        messageType = message.messageType
        publisherGroup = message.publisherGroup
        publishedAt = message.publishedAt.time
        attempt = pulled.attempt
        visibleAgainAt = pulled.visibleAgainAt.time
        properties = Dictionary(
            message.properties.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        let body = Array(message.body.readableBytesView)
        // What a producer called a string and is none is handed on as the bytes that it is.
        if message.kind == .string, let text = String(validating: body, as: UTF8.self) {
            self.text = text
        } else {
            bytes = Data(body)
        }
    }
}
