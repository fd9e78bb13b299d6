import KiteQCore

/// What a message carries.
public enum KiteQBody: Sendable, Hashable {
    case text(String)
    case bytes([UInt8])

    /// The text, or the bytes read as UTF-8.
    public var string: String {
        switch self {
        case .text(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }
}

/// A message to be published.
public struct OutgoingMessage: Sendable, Hashable {
    /// 32 hexadecimal digits, unique. Keep it to publish the same message again.
    public var id: String
    public var topic: String
    public var messageType: String
    public var body: KiteQBody
    public var properties: [String: String] = [:]
    /// From now, by the clock of this machine; nil, or more than 7 days, is 7 days. Whole seconds.
    public var lifetime: Duration?
    /// Attempts of each group before the message is dead, 1 to 100.
    public var deliverLimit = 100
    /// Not stored: delivered once from the broker's memory, or lost.
    public var isFly = false

    public init(topic: String, messageType: String, body: KiteQBody, id: String? = nil) {
        self.id = id ?? MessageID.random().description
        self.topic = topic
        self.messageType = messageType
        self.body = body
    }

    public init(topic: String, messageType: String, text: String) {
        self.init(topic: topic, messageType: messageType, body: .text(text))
    }
}

/// A message that was delivered.
public struct IncomingMessage: Sendable, Hashable {
    public let id: String
    public let topic: String
    public let messageType: String
    public let body: KiteQBody
    public let properties: [String: String]
    /// The group that published it.
    public let publisherGroup: String
    /// Unix seconds; 0 where the header has none.
    public let createdAt: Int64
}

/// What a broker said of a publish that it took.
public struct Receipt: Sendable, Hashable {
    public let messageID: String
    /// The broker's remark, for people.
    public let feedback: String
}

/// Whether a half message becomes a message.
public enum TransactionDecision: Sendable, Hashable {
    case commit
    case rollBack
    /// Not known yet: the broker asks again later.
    case unknown
}

/// A broker's question about a half message that nobody decided.
public struct TransactionCheck: Sendable, Hashable {
    public let messageID: String
    public let topic: String
    public let messageType: String
    public let properties: [String: String]
}

/// What a consumer group wants.
public struct Subscription: Sendable, Hashable {
    public enum Pattern: Sendable, Hashable {
        case messageType(String)
        /// A regular expression in Go's syntax, searched for anywhere in the message type.
        case matching(String)
        case all
    }

    public var topic: String
    public var pattern: Pattern
    /// Messages a second for the group from each broker; 0: the broker's default.
    public var watermark: Int
    /// Whether messages are kept while no client of the group is connected.
    public var isPersistent: Bool

    public init(topic: String, _ pattern: Pattern, watermark: Int = 0, isPersistent: Bool = true) {
        self.topic = topic
        self.pattern = pattern
        self.watermark = watermark
        self.isPersistent = isPersistent
    }
}
