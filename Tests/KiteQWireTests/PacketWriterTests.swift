import KiteQWire
import NIOCore
import Testing

/// What is written can be read, and is never longer than a packet can be.
@Suite struct PacketWriterTests {
    private func only(_ buffer: ByteBuffer, _ framing: Framing) throws -> Packet {
        var (decoder, rest) = (PacketDecoder(framing: framing), buffer)
        let packet = try #require(try decoder.decode(buffer: &rest))
        #expect(rest.readableBytes == 0)
        return packet
    }

    @Test(arguments: Framing.allCases) func manyInOneBuffer(_ framing: Framing) throws {
        var buffer = ByteBuffer()
        for opaque in 1...50 as ClosedRange<Int32> {
            PacketWriter.writeStoreAck(
                into: &buffer, framing: framing, opaque: opaque, version: 2, extension: -9,
                messageID: "id \(opaque)".utf8, status: opaque % 2 == 0, feedback: "風箏")
        }
        var decoder = PacketDecoder(framing: framing)
        for opaque in 1...50 as ClosedRange<Int32> {
            let packet = try #require(try decoder.decode(buffer: &buffer))
            #expect((packet.header.opaque, packet.header.version, packet.header.extension) == (opaque, 2, -9))
            let expected = StoreAck(messageID: "id \(opaque)", status: opaque % 2 == 0, feedback: "風箏")
            #expect(try StoreAck(decoding: packet.body) == expected)
        }
    }

    /// Varints of one to five bytes as lengths, at their edges.
    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 2_000_000]) func lengths(_ length: Int) throws {
        let (header, body) = (
            ByteBuffer(repeating: 1, count: min(length, 20_000)), ByteBuffer(repeating: 2, count: length)
        )
        var buffer = ByteBuffer()
        try PacketWriter.writeDelivery(
            into: &buffer, framing: .lengthPrefixed, opaque: 3, version: 2, extension: 0, command: .stringMessage,
            header: header, body: body, extra: nil)
        let packet = try only(buffer, .lengthPrefixed)
        #expect(packet.body.readableBytes == PacketWriter.messageLength(header: header, body: body, extra: nil))
        #expect(try MessageBody.split(packet.body) == MessageBody(header: header, body: body))
    }

    @Test(arguments: Framing.allCases) func exactlyAtTheLimit(_ framing: Framing) throws {
        let header = try ProtoHeader.sample.serializedBuffer()
        let spare =
            PacketHeader.maximumBodyLength - PacketWriter.messageLength(header: header, body: ByteBuffer(), extra: nil)
        let fits = ByteBuffer(repeating: 0, count: spare - 2)  // its length takes three bytes and not one
        #expect(PacketWriter.messageLength(header: header, body: fits, extra: nil) == PacketHeader.maximumBodyLength)
        var buffer = ByteBuffer()
        try PacketWriter.writeDelivery(
            into: &buffer, framing: framing, opaque: 1, version: 0, extension: 0, command: .bytesMessage,
            header: header,
            body: fits, extra: nil)
        #expect(try only(buffer, framing).body.readableBytes == PacketHeader.maximumBodyLength)

        buffer.clear()
        let error = try #require(throws: WireError.self) {
            try PacketWriter.writeDelivery(
                into: &buffer, framing: framing, opaque: 1, version: 0, extension: 0, command: .bytesMessage,
                header: header, body: fits, extra: ByteBuffer(hex: "1801"))
        }
        #expect(error.code == .bodyTooLarge)
        #expect(buffer.readableBytes == 0)
    }

    @Test func nothingTooLongIsWritten() throws {
        let long = ByteBuffer(repeating: 0, count: PacketHeader.maximumBodyLength + 1)
        var buffer = ByteBuffer()
        #expect(throws: WireError.self) {
            try PacketWriter.writePacket(into: &buffer, framing: .plain, opaque: 1, command: .heartbeat, body: long)
        }
        #expect(throws: WireError.self) {
            try PacketWriter.writeTransactionAck(
                into: &buffer, framing: .plain, opaque: 1, version: 0, extension: 0, header: long, status: 0,
                feedback: "")
        }
        #expect(throws: WireError.self) {
            try PacketWriter.writeConnMeta(
                into: &buffer, framing: .plain, opaque: 1,
                ConnMeta(groupID: String(repeating: "g", count: PacketHeader.maximumBodyLength), secretKey: ""))
        }
        #expect(buffer.readableBytes == 0)
    }

    /// A refused message's id may be megabytes long, and a feedback may quote it.
    @Test func longTextsAreCutBetweenCharacters() throws {
        let long = String(repeating: "箏", count: 5_000)
        let cut = String(repeating: "箏", count: PacketWriter.maximumTextLength / 3)
        var buffer = ByteBuffer()
        PacketWriter.writeStoreAck(
            into: &buffer, framing: .plain, opaque: 1, version: 0, extension: 0, messageID: long.utf8, status: false,
            feedback: long)
        #expect(
            try StoreAck(decoding: only(buffer, .plain).body)
                == StoreAck(messageID: cut, status: false, feedback: cut))

        buffer.clear()
        PacketWriter.writeConnAuthAck(
            into: &buffer, framing: .plain, opaque: 1, version: 0, extension: 0, status: false, feedback: long)
        #expect(try ConnAuthAck(decoding: only(buffer, .plain).body).feedback == cut)
    }

    @Test func bytesFromAnyCollection() throws {
        let id = ByteBuffer(string: "0123456789abcdef0123456789abcdef")
        for _ in 0..<2 {
            var (first, second) = (ByteBuffer(), ByteBuffer())
            PacketWriter.writeStoreAck(
                into: &first, framing: .plain, opaque: 1, version: 0, extension: 0, messageID: id.readableBytesView,
                status: true, feedback: "")
            PacketWriter.writeStoreAck(
                into: &second, framing: .plain, opaque: 1, version: 0, extension: 0,
                messageID: Array(id.readableBytesView).lazy.map { $0 }, status: true, feedback: "")
            #expect(first == second)
        }
    }

    /// One allocation makes the whole packet: the room is asked for once.
    @Test func roomIsMadeOnce() throws {
        let body = ByteBuffer(repeating: 1, count: 1_000)
        var buffer = ByteBufferAllocator().buffer(capacity: 0)
        try PacketWriter.writeDelivery(
            into: &buffer, framing: .plain, opaque: 1, version: 0, extension: 0, command: .bytesMessage, header: body,
            body: body, extra: body)
        #expect(buffer.capacity < 2 * buffer.readableBytes)
    }
}
