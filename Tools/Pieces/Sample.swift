import KiteQCore
import KiteQWire
import NIOCore

/// The message that all pieces handle: 512 bytes of body, names of common lengths.
enum Sample {
    static let count = 256
    static let topic = "trade"
    static let messageType = "pay-succ"
    static let now: Timestamp = 1_800_000_000_000

    static func header() throws -> ByteBuffer {
        var header = ProtoHeader()
        header.messageID = MessageID.random().description
        header.topic = topic
        header.messageType = messageType
        header.expiredTime = -1
        header.deliverLimit = 100
        header.groupID = "p-trade"
        header.commit = true
        header.fly = false
        header.createTime = now / 1_000
        return try header.serializedBuffer()
    }

    static let body = ByteBuffer(repeating: 120, count: 512)

    /// Publishes as they come over the wire.
    static func packets() throws -> ByteBuffer {
        var buffer = ByteBuffer()
        for opaque in 0..<count {
            try PacketWriter.writeDelivery(
                into: &buffer, framing: .plain, opaque: Int32(opaque), version: 0, extension: 0,
                command: .bytesMessage, header: header(), body: body, extra: nil)
        }
        return buffer
    }

    static func message() throws -> Message {
        Message(
            id: .random(), kind: .bytes, topic: topic, messageType: messageType, publisherGroup: "p-trade",
            expiresAt: now + 3_600_000, deliverLimit: 100, publishedAt: now, header: try header(), body: body)
    }
}
