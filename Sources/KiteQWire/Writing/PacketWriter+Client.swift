package import NIOCore
import SwiftProtobuf

/// What a client sends, besides messages, which ``writeDelivery(into:framing:opaque:version:extension:command:header:body:extra:)``
/// writes both ways, and transactions' answers.
extension PacketWriter {
    /// Writes CONN_META, a connection's first packet.
    /// - Throws: ``WireError/Code/bodyTooLarge``, which takes a group or secret of megabytes.
    package static func writeConnMeta(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, _ meta: ConnMeta
    ) throws(WireError) {
        var message = ProtoConnMeta()
        message.groupID = meta.groupID
        message.secretKey = meta.secretKey
        message.warmingupSec = meta.warmingUpSeconds
        if let capabilities = meta.capabilities { message.capabilities = capabilities.rawValue }
        if meta.window > 0 { message.window = meta.window }
        try write(message, as: .connMeta, opaque, framing, into: &buffer)
    }

    /// Writes a heartbeat.
    package static func writeHeartBeat(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, _ heartBeat: HeartBeat
    ) {
        let header = PacketHeader(
            opaque: opaque, command: .heartbeat, version: 0, extension: 0,
            bodyLength: Int32(1 + FieldWriter.size(of: heartBeat.version)))
        write(header, framing, into: &buffer) { $0.write(1 << 3, number: heartBeat.version) }
    }

    /// Writes that these deliveries are being worked on. Only for a broker that said that it takes it.
    /// - Throws: ``WireError/Code/bodyTooLarge``, which takes half a million opaques.
    package static func writeDeliverExtend(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, _ extend: DeliverExtend
    ) throws(WireError) {
        var message = ProtoDeliverExtend()
        message.opaque = extend.opaques
        try write(message, as: .deliverExtend, opaque, framing, into: &buffer)
    }

    /// Writes a consumer's answer to a delivery.
    ///
    /// - Parameters:
    ///   - opaque: the delivery's.
    ///   - header: the delivery's header, whose names the answer repeats, the producer's group among them.
    /// - Throws: ``WireError/Code/bodyTooLarge`` where the header's texts take megabytes.
    package static func writeDeliverAck(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, header: MessageHeaderView, status: Bool,
        feedback: String
    ) throws(WireError) {
        var message = ProtoDeliverAck()
        message.messageID = header.messageID
        message.topic = header.topic
        message.messageType = header.messageType
        message.groupID = header.groupID
        message.status = status
        message.feedback = bounded(feedback)
        try write(message, as: .deliverAck, opaque, framing, into: &buffer)
    }

    private static func write(
        _ message: some SwiftProtobuf.Message, as command: Command, _ opaque: Int32, _ framing: Framing,
        into buffer: inout ByteBuffer
    ) throws(WireError) {
        try writePacket(
            into: &buffer, framing: framing, opaque: opaque, command: command, body: try message.serializedBuffer())
    }
}
