import KiteQWire
import NIOCore

/// What a broker sends without being asked.
enum LinkEvent: Sendable {
    case delivery(LinkDelivery)
    case question(LinkQuestion)
}

/// A message for this group, to be acknowledged.
struct LinkDelivery: Sendable {
    let opaque: Int32
    let header: ByteBuffer
    let line: MessageLine

    init(_ packet: Packet) throws {
        let parts = try MessageBody.split(packet.body)
        let view = try ProtoHeader(decoding: parts.header)
        opaque = packet.header.opaque
        header = parts.header
        let body = Array(parts.body.readableBytesView)
        line = MessageLine(
            id: view.messageID, topic: view.topic, messageType: view.messageType, group: view.groupID,
            created: view.createTime, properties: view.properties.map { ($0.key, $0.value) },
            body: packet.header.command == .stringMessage ? .text(String(decoding: body, as: UTF8.self)) : .bytes(body))
    }
}

/// What became of a half message?
struct LinkQuestion: Sendable {
    let opaque: Int32
    let header: ByteBuffer
    let messageID: String

    init(_ packet: Packet) throws {
        opaque = packet.header.opaque
        header = try TransactionAck(decoding: packet.body).header
        messageID = try MessageHeaderView(decoding: header).messageID
    }
}
