import Foundation
import HTTPTypes
import KiteQBroker
import KiteQCore
import NIOCore

/// Messages to publish.
struct PublishRequest: Decodable, Sendable {
    struct Item: Decodable, Sendable {
        var message: NewMessage

        private enum Key: String, CodingKey, CaseIterable {
            case id, topic, messageType, text, bytes, properties, timeToLive, deliverLimit, fly
        }

        init(from decoder: any Decoder) throws {
            try decoder.refuseOthers(than: Key.self)
            let container = try decoder.container(keyedBy: Key.self)
            func invalid(_ key: Key, _ what: String) -> DecodingError {
                .dataCorruptedError(forKey: key, in: container, debugDescription: what)
            }
            let text = try container.decodeIfPresent(String.self, forKey: .text)
            let bytes = try container.decodeIfPresent(Data.self, forKey: .bytes)
            guard text == nil || bytes == nil else { throw invalid(.bytes, "give text or bytes, not both") }
            message = NewMessage(
                topic: try container.decode(Name.self, forKey: .topic).text,
                messageType: try container.decode(Name.self, forKey: .messageType).text,
                body: bytes.map { .bytes(ByteBuffer(bytes: $0)) } ?? .text(text ?? ""))
            if let id = try container.decodeIfPresent(String.self, forKey: .id) {
                guard MessageID(id) != nil else { throw invalid(.id, "an id has 32 hexadecimal digits") }
                message.id = id.lowercased()
            }
            let properties = try container.decodeIfPresent([String: String].self, forKey: .properties) ?? [:]
            guard properties.count <= 1_000 else { throw invalid(.properties, "at most 1,000 properties") }
            message.properties = properties.sorted { $0.key < $1.key }.map { MessageProperty($0.key, $0.value) }
            if let life = try container.decodeIfPresent(Int64.self, forKey: .timeToLive) {
                guard life >= 1 else { throw invalid(.timeToLive, "seconds, 1 or more") }
                message.timeToLive = min(life, PublishRules.maxLifetime / 1_000)
            }
            if let limit = try container.decodeIfPresent(Int.self, forKey: .deliverLimit) {
                guard (1...100).contains(limit) else { throw invalid(.deliverLimit, "from 1 to 100") }
                message.deliverLimit = limit
            }
            message.isFly = try container.decodeIfPresent(Bool.self, forKey: .fly) ?? false
        }
    }

    var messages: [Item]

    private enum Key: String, CodingKey, CaseIterable { case messages }

    init(from decoder: any Decoder) throws {
        try decoder.refuseOthers(than: Key.self)
        messages = try decoder.container(keyedBy: Key.self).decode([Item].self, forKey: .messages)
        guard (1...1_000).contains(messages.count) else { throw Problem(.badRequest, "messages must be 1 to 1,000") }
    }
}

/// What became of one of them.
struct PublishAnswer: Encodable, Sendable {
    enum Outcome: String, Encodable, Sendable {
        case accepted, refused, tryAgain, unknown
    }

    var id: String
    /// It is committed in the store, or need not be: the feedback says which.
    var stored: Bool
    var outcome: Outcome
    var feedback: String

    init(_ outcome: PublishOutcome) {
        id = outcome.messageID
        stored = outcome.verdict == .accepted
        self.outcome =
            switch outcome.verdict {
            case .accepted: .accepted
            case .refused: .refused
            case .tryAgain: .tryAgain
            case .unknown: .unknown
            }
        feedback = outcome.feedback
    }
}
