package import NIOCore

/// One message as a producer published it: what the broker must know of it, and the bytes it passes on.
///
/// `header`, `body` and `extra` are the producer's own protobuf bytes. They are never decoded again and re-encoded, so
/// fields that this broker does not know reach the consumer. They own their storage: none is a slice of a read buffer.
///
/// An object, though it never changes: it goes through many hands, and to pass it on costs one reference count in place of ten.
package final class Message: Sendable {
    /// Which of the two message bodies it was published in, and is delivered in.
    package enum Kind: UInt8, Sendable, Hashable {
        case bytes = 0x11
        case string = 0x12
    }

    package let id: MessageID
    package let kind: Kind
    package let topic: String
    package let messageType: String
    /// The header's groupId: the group that is asked about a half message.
    package let publisherGroup: String
    /// Unix milliseconds; the message goes to the dead letters then.
    package let expiresAt: Timestamp
    /// Attempts of each group, 1 to 100.
    package let deliverLimit: Int
    /// Unix milliseconds, the header's createTime or, without one, the time of arrival.
    package let publishedAt: Timestamp
    package let header: ByteBuffer
    package let body: ByteBuffer
    /// Fields of the BytesMessage or StringMessage other than header and body, as protobuf bytes; nil where there are none.
    package let extra: ByteBuffer?
    /// What it takes in memory, for the bounds in bytes: its bytes and what surrounds them.
    package let footprint: Int

    package init(
        id: MessageID, kind: Kind, topic: String, messageType: String, publisherGroup: String,
        expiresAt: Timestamp, deliverLimit: Int, publishedAt: Timestamp,
        header: ByteBuffer, body: ByteBuffer, extra: ByteBuffer? = nil
    ) {
        self.id = id
        self.kind = kind
        self.topic = topic
        self.messageType = messageType
        self.publisherGroup = publisherGroup
        self.expiresAt = expiresAt
        self.deliverLimit = deliverLimit
        self.publishedAt = publishedAt
        self.header = header
        self.body = body
        self.extra = extra
        footprint = header.readableBytes + body.readableBytes + (extra?.readableBytes ?? 0) + 256
    }
}
