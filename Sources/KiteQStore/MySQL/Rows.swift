import KiteQCore
import MariaDB
import NIOCore

/// How rows become what the broker knows, and back.
extension MariaDBRow {
    func id(_ column: Int) throws -> MessageID {
        let bytes = try bytes(column)
        guard let id = bytes.withUnsafeBytes({ MessageID(bytes: $0) }) else {
            throw StoreError(.failed, "a message id in the store has \(bytes.count) bytes, not 16")
        }
        return id
    }

    func buffer(_ column: Int) throws -> ByteBuffer { ByteBuffer(bytes: try bytes(column)) }

    /// The columns `message_id, kind, topic, message_type, publisher_group, expires_at, deliver_limit, published_at, header`
    /// from `first` on, and with `hasBody` also `body, extra`.
    func message(_ first: Int, hasBody: Bool) throws -> Message {
        let kind = try int(first + 1)
        guard let messageKind = UInt8(exactly: kind).flatMap({ Message.Kind(rawValue: $0) }) else {
            throw StoreError(.failed, "a message in the store has the unknown kind \(kind)")
        }
        return Message(
            id: try id(first), kind: messageKind, topic: try text(first + 2), messageType: try text(first + 3),
            publisherGroup: try text(first + 4), expiresAt: try int(first + 5), deliverLimit: Int(try int(first + 6)),
            publishedAt: try int(first + 7), header: try buffer(first + 8),
            body: hasBody ? try buffer(first + 9) : ByteBuffer(),
            extra: hasBody ? try optionalBytes(first + 10).map { ByteBuffer(bytes: $0) } : nil)
    }
}

extension MessageID {
    var value: MariaDBValue { .bytes(withBytes { Array($0) }) }
}

extension MariaDBBatch {
    mutating func append(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { append($0) }
    }
}
