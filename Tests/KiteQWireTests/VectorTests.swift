import KiteQWire
import NIOCore
import SwiftProtobuf
import Testing

/// Every packet recorded off the real clients decodes to the fields given, by our own readers and by the generated code,
/// and our writers make the very same bytes of them again.
@Suite struct VectorTests {
    @Test func allAreThere() {
        #expect(Vector.all.count == 134)
    }

    private func decode(_ vector: Vector) throws -> Packet {
        var decoder = PacketDecoder(framing: vector.wireFraming)
        var buffer = vector.packet
        let packet = try #require(try decoder.decode(buffer: &buffer))
        #expect(buffer.readableBytes == 0)
        return packet
    }

    @Test(arguments: Vector.all) func header(_ vector: Vector) throws {
        let packet = try decode(vector)
        #expect(packet.framing == vector.wireFraming)
        #expect(packet.header.opaque == vector.decoded.opaque)
        #expect(packet.header.command.rawValue == vector.decoded.command)
        #expect(packet.header.version == vector.decoded.version)
        #expect(packet.header.extension == vector.decoded.extension)
        #expect(packet.header.bodyLength == vector.decoded.bodyLength)
        #expect(packet.body.readableBytes == Int(vector.decoded.bodyLength))

        var again = ByteBuffer()
        try PacketWriter.writePacket(
            into: &again, framing: packet.framing, opaque: packet.header.opaque, command: packet.header.command,
            version: packet.header.version, extension: packet.header.extension, body: packet.body)
        #expect(again == vector.packet)
    }

    /// Whole recorded conversations, each direction as one stream: several packets in one read.
    @Test(arguments: ["go", "java", "php"], ["c2s", "s2c"]) func stream(_ client: String, _ direction: String) throws {
        let vectors = Vector.all.filter { $0.client == client && $0.direction == direction }
        let framing = try #require(vectors.first).wireFraming
        var stream = ByteBuffer()
        for vector in vectors { stream.writeImmutableBuffer(vector.packet) }
        let processor = NIOSingleStepByteToMessageProcessor(PacketDecoder(framing: framing))
        var packets: [Packet] = []
        try processor.process(buffer: stream) { packets.append($0) }
        #expect(packets.map(\.header.opaque) == vectors.map(\.decoded.opaque))
        #expect(packets.map(\.header.command.rawValue) == vectors.map(\.decoded.command))
    }

    @Test(arguments: Vector.of(.connMeta)) func connMeta(_ vector: Vector) throws {
        let packet = try decode(vector)
        let expected = vector.decoded.body
        let meta = try ConnMeta(decoding: packet.body)
        #expect(meta.groupID == expected.groupId)
        #expect(meta.secretKey == expected.secretKey)
        #expect(meta.warmingUpSeconds == expected.warmingupSec ?? 0)

        let generated = try ProtoConnMeta(decoding: packet.body)
        #expect(generated.groupID == expected.groupId)
        #expect(generated.secretKey == expected.secretKey)
        #expect(generated.hasWarmingupSec == (expected.warmingupSec != nil))
        #expect(generated.warmingupSec == expected.warmingupSec ?? 0)

        var learned = PacketDecoder()
        var stream = vector.packet
        #expect(try learned.decode(buffer: &stream)?.framing == vector.wireFraming)

        var again = ByteBuffer()
        try PacketWriter.writeConnMeta(into: &again, framing: packet.framing, opaque: packet.header.opaque, meta)
        var decoder = PacketDecoder()
        let reread = try #require(try decoder.decode(buffer: &again))
        #expect(try ConnMeta(decoding: reread.body) == meta)
        if expected.warmingupSec != nil && packet.header.version == 0 {
            #expect(reread.body == packet.body)
        }
    }

    @Test(arguments: Vector.of(.heartbeat)) func heartbeat(_ vector: Vector) throws {
        let packet = try decode(vector)
        let heartbeat = try HeartBeat(decoding: packet.body)
        #expect(heartbeat.version == vector.decoded.body.version)
        #expect(try ProtoHeartBeat(decoding: packet.body).version == vector.decoded.body.version)
        var again = ByteBuffer()
        PacketWriter.writeHeartBeat(
            into: &again, framing: packet.framing, opaque: packet.header.opaque, heartbeat)
        var decoder = PacketDecoder(framing: packet.framing)
        #expect(try decoder.decode(buffer: &again)?.body == packet.body)
    }

    @Test(arguments: Vector.of(.connAuth)) func connAuth(_ vector: Vector) throws {
        let packet = try decode(vector)
        let ack = try ConnAuthAck(decoding: packet.body)
        #expect(.flag(ack.status) == vector.decoded.body.status)
        #expect(ack.feedback == vector.decoded.body.feedback)
        let generated = try ProtoConnAuthAck(decoding: packet.body)
        #expect((generated.status, generated.feedback) == (ack.status, ack.feedback))
        var again = ByteBuffer()
        PacketWriter.writeConnAuthAck(
            into: &again, framing: packet.framing, opaque: packet.header.opaque, version: packet.header.version,
            extension: packet.header.extension, status: ack.status, feedback: ack.feedback)
        #expect(again == vector.packet)
    }

    @Test(arguments: Vector.of(.messageStoreAck)) func storeAck(_ vector: Vector) throws {
        let packet = try decode(vector)
        let ack = try StoreAck(decoding: packet.body)
        #expect(ack.messageID == vector.decoded.body.messageId)
        #expect(.flag(ack.status) == vector.decoded.body.status)
        #expect(ack.feedback == vector.decoded.body.feedback)
        let generated = try ProtoMessageStoreAck(decoding: packet.body)
        #expect(generated.messageID == ack.messageID)
        #expect((generated.status, generated.feedback) == (ack.status, ack.feedback))
        var again = ByteBuffer()
        PacketWriter.writeStoreAck(
            into: &again, framing: packet.framing, opaque: packet.header.opaque, version: packet.header.version,
            extension: packet.header.extension, messageID: ack.messageID.utf8, status: ack.status,
            feedback: ack.feedback)
        #expect(again == vector.packet)
    }

    @Test(arguments: Vector.of(.deliverAck)) func deliverAck(_ vector: Vector) throws {
        let packet = try decode(vector)
        let expected = vector.decoded.body
        let ack = try DeliverAck(decoding: packet.body)
        #expect(ack.messageID == expected.messageId)
        #expect(.flag(ack.status) == expected.status)
        #expect(ack.feedback == expected.feedback ?? "")
        let generated = try ProtoDeliverAck(decoding: packet.body)
        #expect(generated.messageID == expected.messageId)
        #expect(generated.topic == expected.topic)
        #expect(generated.messageType == expected.messageType)
        #expect(generated.groupID == expected.groupId)
        #expect(.flag(generated.status) == expected.status)
        #expect(generated.feedback == expected.feedback ?? "")

        var again = ByteBuffer()
        try PacketWriter.writeDeliverAck(
            into: &again, framing: packet.framing, opaque: packet.header.opaque,
            header: try answered(generated), status: ack.status, feedback: ack.feedback)
        var decoder = PacketDecoder(framing: packet.framing)
        let reread = try #require(try decoder.decode(buffer: &again))
        #expect(try ProtoDeliverAck(decoding: reread.body).messageID == expected.messageId)
        if expected.feedback != nil { #expect(reread.body == packet.body) }
    }

    /// The header of the delivery that this acknowledges.
    private func answered(_ ack: ProtoDeliverAck) throws -> MessageHeaderView {
        var header = ProtoHeader.sample
        header.messageID = ack.messageID
        header.topic = ack.topic
        header.messageType = ack.messageType
        header.groupID = ack.groupID
        return try MessageHeaderView(decoding: try header.serializedBuffer())
    }

    @Test(arguments: Vector.of(.txAck)) func transactionAck(_ vector: Vector) throws {
        let packet = try decode(vector)
        let ack = try TransactionAck(decoding: packet.body)
        #expect(.number(ack.status) == vector.decoded.body.status)
        #expect(ack.feedback == vector.decoded.body.feedback)
        try check(ack.header, try #require(vector.decoded.body.header))
        let generated = try ProtoTxACKPacket(decoding: packet.body)
        #expect((generated.status, generated.feedback) == (ack.status, ack.feedback))
        #expect(try ProtoHeader(decoding: ack.header) == generated.header)
        var again = ByteBuffer()
        try PacketWriter.writeTransactionAck(
            into: &again, framing: packet.framing, opaque: packet.header.opaque, version: packet.header.version,
            extension: packet.header.extension, header: ack.header, status: ack.status, feedback: ack.feedback)
        #expect(again == vector.packet)
    }

    @Test(arguments: Vector.of(.bytesMessage, .stringMessage)) func message(_ vector: Vector) throws {
        let packet = try decode(vector)
        let parts = try MessageBody.split(packet.body)
        #expect(parts.body == vector.messageBytes)
        #expect(parts.extra == nil)
        try check(parts.header, try #require(vector.decoded.body.header))

        let header: ProtoHeader
        if packet.header.command == .bytesMessage {
            let generated = try ProtoBytesMessage(decoding: packet.body)
            #expect(ByteBuffer(bytes: generated.body) == vector.messageBytes)
            #expect(try generated.serializedBuffer() == packet.body)
            header = generated.header
        } else {
            let generated = try ProtoStringMessage(decoding: packet.body)
            #expect(generated.body == vector.decoded.body.body)
            #expect(try generated.serializedBuffer() == packet.body)
            header = generated.header
        }
        #expect(try ProtoHeader(decoding: parts.header) == header)

        var again = ByteBuffer()
        try PacketWriter.writeDelivery(
            into: &again, framing: packet.framing, opaque: packet.header.opaque, version: packet.header.version,
            extension: packet.header.extension, command: packet.header.command, header: parts.header, body: parts.body,
            extra: parts.extra)
        #expect(again == vector.packet)
    }

    private func check(_ bytes: ByteBuffer, _ expected: Vector.Header) throws {
        let view = try MessageHeaderView(decoding: bytes)
        #expect(view.messageID == expected.messageId)
        #expect(view.withMessageID { $0.elementsEqual(expected.messageId.utf8) })
        #expect(view.topic == expected.topic)
        #expect(view.messageType == expected.messageType)
        #expect(view.expiredTime == expected.expiredTime)
        #expect(view.deliverLimit == expected.deliverLimit)
        #expect(view.groupID == expected.groupId)
        #expect(view.commit == expected.commit)
        #expect(view.fly == expected.fly)
        #expect(view.createTime == expected.createTime)
        #expect(view.bytes == bytes)

        let generated = try ProtoHeader(decoding: bytes)
        #expect(generated.messageID == expected.messageId)
        #expect(generated.topic == expected.topic)
        #expect(generated.messageType == expected.messageType)
        #expect(generated.expiredTime == expected.expiredTime)
        #expect(generated.deliverLimit == expected.deliverLimit)
        #expect(generated.groupID == expected.groupId)
        #expect(generated.commit == expected.commit)
        #expect(generated.fly == expected.fly)
        #expect(generated.hasCreateTime == (expected.createTime != nil))
        #expect(generated.createTime == expected.createTime ?? 0)
        #expect(generated.snappy == expected.snappy ?? false)
        let properties = expected.properties ?? []
        #expect(generated.properties.map(\.key) == properties.map(\.key))
        #expect(generated.properties.map(\.value) == properties.map(\.value))
    }
}
