import KiteQCore
import KiteQWire
import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A message as packets have it.
struct EncodedMessage: Sendable {
    let id: String
    let command: Command
    let header: ByteBuffer
    let body: ByteBuffer

    init(_ message: OutgoingMessage, group: String, isCommitted: Bool) throws {
        guard MessageID(message.id) != nil else {
            throw KiteQError(.invalid, "the message id \(message.id.prefix(40)) is not 32 hexadecimal digits")
        }
        for (name, what) in [(message.topic, "topic"), (message.messageType, "message type")]
        where name.isEmpty || name.utf8.count > PublishRules.maxNameBytes {
            throw KiteQError(.invalid, "the \(what) is empty or has more than \(PublishRules.maxNameBytes) bytes")
        }
        if message.isFly && !isCommitted {
            throw KiteQError(.invalid, "a fly message is not stored, so it cannot be part of a transaction")
        }
        let now = Int64(time(nil))
        var header = ProtoHeader()
        header.messageID = message.id
        header.topic = message.topic
        header.messageType = message.messageType
        header.expiredTime = message.lifetime.map { now + max(1, $0.components.seconds) } ?? -1
        header.deliverLimit = Int32(clamping: message.deliverLimit)
        header.groupID = group
        header.commit = isCommitted
        header.fly = message.isFly
        header.createTime = now
        header.properties = message.properties.sorted { $0.key < $1.key }.map { key, value in
            var entry = ProtoEntry()
            entry.key = key
            entry.value = value
            return entry
        }
        id = message.id
        self.header = try header.serializedBuffer()
        switch message.body {
        case .text(let text):
            command = .stringMessage
            body = ByteBuffer(string: text)
        case .bytes(let bytes):
            command = .bytesMessage
            body = ByteBuffer(bytes: bytes)
        }
        let length = PacketWriter.messageLength(header: self.header, body: body, extra: nil)
        guard length <= PacketHeader.maximumBodyLength else {
            throw KiteQError(
                .invalid, "the message has \(length) bytes, at most \(PacketHeader.maximumBodyLength) go into a packet")
        }
    }
}

extension IncomingMessage {
    init(command: Command, parts: MessageBody) throws {
        let header = try ProtoHeader(decoding: parts.header)
        id = header.messageID
        topic = header.topic
        messageType = header.messageType
        body = command == .stringMessage ? .text(String(buffer: parts.body)) : .bytes(Array(buffer: parts.body))
        properties = Dictionary(header.properties.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        publisherGroup = header.groupID
        createdAt = header.createTime
    }
}

extension TransactionCheck {
    init(header bytes: ByteBuffer) throws {
        let header = try ProtoHeader(decoding: bytes)
        messageID = header.messageID
        topic = header.topic
        messageType = header.messageType
        properties = Dictionary(header.properties.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
    }
}

extension Binding {
    init(_ subscription: Subscription, group: String) {
        let (messageType, kind): (String, BindKind) =
            switch subscription.pattern {
            case .messageType(let name): (name, .direct)
            case .matching(let expression): (expression, .regx)
            case .all: ("*", .fanout)
            }
        self.init(
            group: group, topic: subscription.topic, messageType: messageType, kind: kind,
            watermark: subscription.watermark, persistent: subscription.isPersistent)
    }
}
