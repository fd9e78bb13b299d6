package import NIOCore

/// One message as a producer published it: what the broker must know of it, and the bytes it passes on.
///
/// Header, body and extra are the producer's own protobuf bytes. They are never decoded again and re-encoded, so fields that
/// this broker does not know reach the consumer.
///
/// It goes through many hands and never changes: it is one block of memory, the bytes behind the fields, and to pass it on
/// costs one reference count.
package struct Message: Sendable {
    /// Which of the two message bodies it was published in, and is delivered in.
    package enum Kind: UInt8, Sendable, Hashable {
        case bytes = 0x11
        case string = 0x12
    }

    /// Never written to once it is made, so it may be read from everywhere.
    private nonisolated(unsafe) let storage: MessageStorage

    package var id: MessageID { storage.withUnsafeMutablePointerToHeader { $0.pointee.id } }
    package var kind: Kind { storage.withUnsafeMutablePointerToHeader { $0.pointee.kind } }
    package var topic: String { storage.withUnsafeMutablePointerToHeader { $0.pointee.topic } }
    package var messageType: String { storage.withUnsafeMutablePointerToHeader { $0.pointee.messageType } }
    /// The header's groupId: where groups show who they are, the publishing connection's or one that it may speak for.
    package var publisherGroup: String { storage.withUnsafeMutablePointerToHeader { $0.pointee.publisherGroup } }
    /// Unix milliseconds; the message goes to the dead letters then.
    package var expiresAt: Timestamp { storage.withUnsafeMutablePointerToHeader { $0.pointee.expiresAt } }
    /// Attempts of each group, 1 to 100.
    package var deliverLimit: Int { storage.withUnsafeMutablePointerToHeader { $0.pointee.deliverLimit } }
    /// Unix milliseconds, the header's createTime or, without one, the time of arrival.
    package var publishedAt: Timestamp { storage.withUnsafeMutablePointerToHeader { $0.pointee.publishedAt } }
    /// What it takes in memory, for the bounds in bytes: its bytes and what surrounds them.
    package var footprint: Int { storage.withUnsafeMutablePointerToHeader { $0.pointee.length + Self.overhead } }
    /// What a message takes beside its bytes.
    package static let overhead = 256

    /// - Parameter extra: fields of the BytesMessage or StringMessage other than header and body, as protobuf bytes; nil where
    ///   there are none.
    package init(
        id: MessageID, kind: Kind, topic: String, messageType: String, publisherGroup: String,
        expiresAt: Timestamp, deliverLimit: Int, publishedAt: Timestamp,
        header: ByteBuffer, body: ByteBuffer, extra: ByteBuffer? = nil
    ) {
        storage = MessageStorage.make(
            MessageFields(
                id: id, kind: kind, topic: topic, messageType: messageType, publisherGroup: publisherGroup,
                expiresAt: expiresAt, deliverLimit: deliverLimit, publishedAt: publishedAt,
                headerLength: header.readableBytes, bodyLength: body.readableBytes, extraLength: extra?.readableBytes),
            header, body, extra)
    }

    // MARK: Bytes

    /// Its bytes, for as long as the call takes.
    package func withBytes<Result, Failure: Error>(
        _ use: (_ header: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ extra: UnsafeRawBufferPointer?)
            throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try storage.withUnsafeMutablePointers { fields, bytes throws(Failure) in
            let header = UnsafeRawBufferPointer(start: bytes, count: fields.pointee.headerLength)
            let body = UnsafeRawBufferPointer(start: bytes + header.count, count: fields.pointee.bodyLength)
            let extra = fields.pointee.extraLength.map {
                UnsafeRawBufferPointer(start: bytes + header.count + body.count, count: $0)
            }
            return try use(header, body, extra)
        }
    }

    /// Copies.
    package var header: ByteBuffer { withBytes { header, _, _ in ByteBuffer(bytes: header) } }
    package var body: ByteBuffer { withBytes { _, body, _ in ByteBuffer(bytes: body) } }
    package var extra: ByteBuffer? { withBytes { _, _, extra in extra.map { ByteBuffer(bytes: $0) } } }
}

private struct MessageFields: Sendable {
    let id: MessageID
    let kind: Message.Kind
    let topic: String
    let messageType: String
    let publisherGroup: String
    let expiresAt: Timestamp
    let deliverLimit: Int
    let publishedAt: Timestamp
    let headerLength: Int
    let bodyLength: Int
    let extraLength: Int?

    var length: Int { headerLength + bodyLength + (extraLength ?? 0) }
}

/// The fields, and behind them header, body and extra. Written once, by `make`.
private final class MessageStorage: ManagedBuffer<MessageFields, UInt8> {
    static func make(
        _ fields: MessageFields, _ header: ByteBuffer, _ body: ByteBuffer, _ extra: ByteBuffer?
    ) -> MessageStorage {
        let storage = create(minimumCapacity: fields.length) { _ in fields }
        storage.withUnsafeMutablePointerToElements { elements in
            var room = UnsafeMutableRawBufferPointer(start: elements, count: fields.length)
            func append(_ part: ByteBuffer) {
                part.withUnsafeReadableBytes { room.copyMemory(from: $0) }
                room = UnsafeMutableRawBufferPointer(rebasing: room[part.readableBytes...])
            }
            append(header)
            append(body)
            if let extra { append(extra) }
        }
        return unsafeDowncast(storage, to: MessageStorage.self)
    }
}
