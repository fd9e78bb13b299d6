/// What the protocol demands of a publish (protocol.md, Publish, expiredTime, deliverLimit, fly).
package enum PublishRules {
    /// Longest topic, message type or group, in UTF-8 bytes.
    package static let maxNameBytes = 255
    /// The longest life, and the one of a message that names none: 7 days, in milliseconds.
    package static let maxLifetime: Timestamp = 7 * 24 * 3_600 * 1_000
    package static let maxDeliverLimit = 100

    /// What of a message's header these rules look at.
    package struct Request: Sendable {
        package var messageID: String
        package var topic: String
        package var messageType: String
        package var group: String
        /// Unix seconds.
        package var expiredTime: Int64
        package var deliverLimit: Int32
        package var isCommitted: Bool
        package var isFly: Bool

        package init(
            messageID: String, topic: String, messageType: String, group: String, expiredTime: Int64, deliverLimit: Int32,
            isCommitted: Bool, isFly: Bool
        ) {
            self.messageID = messageID
            self.topic = topic
            self.messageType = messageType
            self.group = group
            self.expiredTime = expiredTime
            self.deliverLimit = deliverLimit
            self.isCommitted = isCommitted
            self.isFly = isFly
        }
    }

    package enum Kind: Sendable, Hashable {
        case committed, half, fly
    }

    /// A publish within the rules, its values clamped.
    package struct Accepted: Sendable, Hashable {
        package var id: MessageID
        package var kind: Kind
        package var expiresAt: Timestamp
        package var deliverLimit: Int
    }

    package enum Refusal: Sendable, Hashable {
        case badID
        case topicNotServed(String)
        case expired
        case flyWithoutCommit
        case badName(String)

        /// What the producer is told.
        package var feedback: String {
            switch self {
            case .badID: "the message id is not 32 hexadecimal digits"
            case .topicNotServed(let topic): "the topic \(topic.prefix(64)) is not served here"
            case .expired: "the message has expired already"
            case .flyWithoutCommit: "a fly message must be committed"
            case .badName(let what): "the \(what) is empty or has more than \(maxNameBytes) bytes"
            }
        }
    }

    package enum Verdict: Sendable, Hashable {
        case accept(Accepted)
        case refuse(Refusal)
    }

    /// - Parameter now: Unix milliseconds.
    package static func check(_ request: Request, topics: Set<String>, now: Timestamp) -> Verdict {
        guard let id = MessageID(request.messageID) else { return .refuse(.badID) }
        guard topics.contains(request.topic) else { return .refuse(.topicNotServed(request.topic)) }
        for (name, what) in [
            (request.topic, "topic"), (request.messageType, "message type"), (request.group, "group"),
        ] where name.isEmpty || name.utf8.count > maxNameBytes {
            return .refuse(.badName(what))
        }
        if request.isFly && !request.isCommitted { return .refuse(.flyWithoutCommit) }
        let latest = now + maxLifetime
        var expiresAt = latest
        if request.expiredTime > 0 && request.expiredTime < latest / 1_000 {
            expiresAt = request.expiredTime * 1_000
            if expiresAt <= now { return .refuse(.expired) }
        }
        let limit = Int(request.deliverLimit)
        return .accept(
            Accepted(
                id: id, kind: request.isFly ? .fly : request.isCommitted ? .committed : .half, expiresAt: expiresAt,
                deliverLimit: (1...maxDeliverLimit).contains(limit) ? limit : maxDeliverLimit))
    }
}
