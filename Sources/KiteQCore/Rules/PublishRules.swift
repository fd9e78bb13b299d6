/// What the protocol demands of a publish (docs/protocol.md#the-header, docs/protocol.md#store-acks).
package enum PublishRules {
    /// Longest topic, message type or group, in UTF-8 bytes: the width of their columns.
    package static let maxNameBytes = 255
    /// The longest life, and that of a message that names none: 7 days, in milliseconds.
    package static let maxLifetime: Timestamp = 7 * 24 * 3_600 * 1_000
    /// The most attempts, and those of a message that names none.
    package static let maxDeliverLimit = 100
    /// The last createTime that is believed, the end of the year 9999 in Unix seconds. What is above is no time in seconds.
    package static let maxCreateTime: Int64 = 253_402_300_799

    /// What of a message's header these rules look at, as it came.
    package struct Request: Sendable {
        /// Nil: its text is no id.
        package var id: MessageID?
        package var topic: String
        package var messageType: String
        package var group: String
        /// Unix seconds.
        package var expiredTime: Int64
        package var deliverLimit: Int32
        package var isCommitted: Bool
        package var isFly: Bool
        /// Unix seconds; 0 where it is absent.
        package var createTime: Int64

        package init(
            id: MessageID?, topic: String, messageType: String, group: String, expiredTime: Int64,
            deliverLimit: Int32, isCommitted: Bool, isFly: Bool, createTime: Int64 = 0
        ) {
            self.id = id
            self.topic = topic
            self.messageType = messageType
            self.group = group
            self.expiredTime = expiredTime
            self.deliverLimit = deliverLimit
            self.isCommitted = isCommitted
            self.isFly = isFly
            self.createTime = createTime
        }
    }

    package enum Kind: Sendable, Hashable, CaseIterable {
        /// Stored, and delivered.
        case committed
        /// Stored, and delivered when its producer commits it.
        case half
        /// Delivered from memory, not stored.
        case fly
    }

    /// A publish within the rules, its values brought within theirs.
    package struct Accepted: Sendable, Hashable {
        package var id: MessageID
        package var kind: Kind
        /// After now, and within the longest life of its topic's messages.
        package var expiresAt: Timestamp
        /// From 1 to the most attempts of its topic's messages.
        package var deliverLimit: Int
        /// The createTime; the time of arrival where that is absent or no time. Always fits a ``Timestamp``.
        package var createdAt: Timestamp
        /// Those of its topic. How large a body may be is said to those who may publish there, and so looked at later.
        package var bounds: PublishBounds
    }

    package enum Refusal: Sendable, Hashable {
        case badID
        case badName(Name)
        case topicNotServed(String)
        case flyWithoutCommit
        /// So many milliseconds ago.
        case expired(ago: Timestamp)

        package enum Name: String, Sendable, Hashable, CaseIterable {
            case topic
            case messageType = "message type"
            case group
        }

        /// What the producer is told; at most a few hundred bytes, whatever it sent.
        package var feedback: String {
            switch self {
            case .badID: "the message id is not 32 hexadecimal digits"
            case .badName(let name): "the \(name.rawValue) is empty or has more than \(maxNameBytes) bytes"
            case .topicNotServed(let topic): "the topic \(topic) is not served here"
            case .flyWithoutCommit: "a fly message must be committed"
            case .expired(let ago):
                "the message has expired already, \(ServerClock.span(ago)) ago by the clock of the broker's database"
            }
        }
    }

    package enum Verdict: Sendable, Hashable {
        case accept(Accepted)
        case refuse(Refusal)
    }

    /// Accepts or refuses a publish, by itself: rates, bindings and what is stored are others' matter.
    ///
    /// - Parameters:
    ///   - topics: those that this broker serves, and what holds for each.
    ///   - now: Unix milliseconds, by the server that is to store it.
    package static func check(_ request: Request, topics: ServedTopics, now: Timestamp) -> Verdict {
        guard let id = request.id else { return .refuse(.badID) }
        if !isName(request.topic) { return .refuse(.badName(.topic)) }
        if !isName(request.messageType) { return .refuse(.badName(.messageType)) }
        if !isName(request.group) { return .refuse(.badName(.group)) }
        guard let bounds = topics[request.topic] else { return .refuse(.topicNotServed(request.topic)) }
        if request.isFly && !request.isCommitted { return .refuse(.flyWithoutCommit) }
        let expiresAt = expiry(request.expiredTime, now: now, longest: bounds.longestLife)
        guard expiresAt > now else { return .refuse(.expired(ago: now - expiresAt)) }
        let limit = Int(request.deliverLimit)
        return .accept(
            Accepted(
                id: id, kind: request.isFly ? .fly : request.isCommitted ? .committed : .half, expiresAt: expiresAt,
                deliverLimit: (1...bounds.mostAttempts).contains(limit) ? limit : bounds.mostAttempts,
                createdAt: (1...maxCreateTime).contains(request.createTime) ? request.createTime * 1_000 : now,
                bounds: bounds))
    }

    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= maxNameBytes
    }

    private static func expiry(_ expiredTime: Int64, now: Timestamp, longest: Timestamp) -> Timestamp {
        let latest = now + longest
        guard expiredTime > 0 else { return latest }
        let (milliseconds, overflow) = expiredTime.multipliedReportingOverflow(by: 1_000)
        if overflow || milliseconds > latest { return latest }
        return milliseconds
    }
}
