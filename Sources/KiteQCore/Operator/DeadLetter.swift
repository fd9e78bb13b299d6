package import NIOCore

/// What is known of a message that could not be delivered to a group; its bytes are ``Content``.
package struct DeadLetter: Sendable, Hashable {
    package var id: DeadLetterID
    /// The place that the message had, and gets again, in `kite_message`.
    package var seq: Int64
    package var messageID: MessageID
    /// "" where `reason` is `undecided`: such a message was never owed to a group.
    package var group: String
    package var reason: DeadLetterReason
    /// Deliveries tried; of an undecided one, questions asked.
    package var attempts: Int
    package var lastError: String?
    package var diedAt: Timestamp
    package var expiresAt: Timestamp
    /// The producer's createTime, as far as it was one.
    package var publishedAt: Timestamp
    package var deliverLimit: Int
    package var kind: Message.Kind
    package var topic: String
    package var messageType: String
    package var publisherGroup: String

    package init(
        id: DeadLetterID, seq: Int64, messageID: MessageID, group: String, reason: DeadLetterReason, attempts: Int,
        lastError: String?, diedAt: Timestamp, expiresAt: Timestamp, publishedAt: Timestamp, deliverLimit: Int,
        kind: Message.Kind, topic: String, messageType: String, publisherGroup: String
    ) {
        self.id = id
        self.seq = seq
        self.messageID = messageID
        self.group = group
        self.reason = reason
        self.attempts = attempts
        self.lastError = lastError
        self.diedAt = diedAt
        self.expiresAt = expiresAt
        self.publishedAt = publishedAt
        self.deliverLimit = deliverLimit
        self.kind = kind
        self.topic = topic
        self.messageType = messageType
        self.publisherGroup = publisherGroup
    }

    /// The producer's own bytes, as ``Message`` has them.
    package struct Content: Sendable, Hashable {
        package var header: ByteBuffer
        package var body: ByteBuffer
        package var extra: ByteBuffer?

        package init(header: ByteBuffer, body: ByteBuffer, extra: ByteBuffer?) {
            self.header = header
            self.body = body
            self.extra = extra
        }
    }

    /// The shortest life that a requeued message is given unless a person says otherwise, milliseconds.
    package static let shortestLife: Timestamp = 3_600 * 1_000

    /// How long the message was to live when it was published, milliseconds: an hour to the protocol's seven days, whatever
    /// the producer's clock said.
    package var lifetime: Timestamp {
        min(
            max(expiresAt.subtractingReportingOverflow(publishedAt).partialValue, Self.shortestLife),
            PublishRules.maxLifetime)
    }
}
