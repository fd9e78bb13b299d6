import KiteQWire
import NIOCore
import SwiftProtobuf
import Testing

/// Messages taken apart by hand-picked bytes: repeated, missing, unknown and broken fields.
@Suite struct MessageBodyTests {
    @Test func partsAreSlices() throws {
        let parts = try MessageBody.split(ByteBuffer(hex: "0a03 010203 1202 fffe"))
        #expect(parts == MessageBody(header: ByteBuffer(hex: "010203"), body: ByteBuffer(hex: "fffe")))
    }

    /// The parts are found by offset from the reader index, not from the buffer's start.
    @Test func partsOfASlice() throws {
        var buffer = ByteBuffer(hex: "ffff 0a03 010203 1202 fffe 1801")
        buffer.moveReaderIndex(forwardBy: 2)
        let parts = try MessageBody.split(buffer)
        #expect(parts.header.hex == "010203")
        #expect(parts.body.hex == "fffe")
        #expect(parts.extra?.hex == "1801")
    }

    @Test func emptyParts() throws {
        let parts = try MessageBody.split(ByteBuffer(hex: "1200 0a00"))
        #expect(parts == MessageBody(header: ByteBuffer(), body: ByteBuffer()))
    }

    @Test func lastBodyCounts() throws {
        #expect(try MessageBody.split(ByteBuffer(hex: "1201aa 0a00 1201bb")).body.hex == "bb")
    }

    @Test func headersAreMerged() throws {
        let parts = try MessageBody.split(ByteBuffer(hex: "0a02 3801 1200 0a02 3800 0a02 4001"))
        #expect(parts.header.hex == "380138004001")
    }

    /// A group that begins in one piece and ends in the next is not one.
    @Test func headersAreMergedPieceByPiece() throws {
        for bytes in ["0a01 4b 1200 0a01 4c", "0a02 3801 0a01 4b 1200 0a01 4c", "0a02 3801 1200 0a01 08"] {
            let error = try #require(throws: WireError.self) { try MessageBody.split(ByteBuffer(hex: bytes)) }
            #expect(error.code == .malformedBody)
        }
    }

    /// A hundred thousand header pieces: work that grows with the square of them would not end.
    @Test(.timeLimit(.minutes(1))) func manyPiecesAreLinear() throws {
        var bytes = ByteBuffer(hex: "1200")
        for _ in 0..<100_000 { bytes.writeBytes([0x0A, 0x02, 0x38, 0x01, 0x18, 0x01]) }
        let parts = try MessageBody.split(bytes)
        #expect(parts.header.readableBytes == 200_000)
        #expect(parts.extra?.readableBytes == 200_000)
    }

    @Test func otherFieldsAreKept() throws {
        let parts = try MessageBody.split(
            ByteBuffer(hex: "1801 0a00 2203 616263 1200 2b3001 2c 0dffffffff 1105000000 00000000 c23e02aabb"))
        #expect(
            parts.extra?.hex == "1801" + "2203616263" + "2b30012c" + "0dffffffff" + "110500000000000000" + "c23e02aabb")
        var packet = ByteBuffer()
        try PacketWriter.writeDelivery(
            into: &packet, framing: .plain, opaque: 1, version: 0, extension: 0, command: .bytesMessage,
            header: parts.header, body: parts.body, extra: parts.extra)
        packet.moveReaderIndex(forwardBy: PacketHeader.length)
        #expect(try MessageBody.split(packet) == parts)
    }

    @Test(arguments: ["", "1200", "08011200", "1801"]) func headerMissing(_ hex: String) throws {
        let error = try #require(throws: WireError.self) { try MessageBody.split(ByteBuffer(hex: hex)) }
        #expect(error.code == .missingField)
        #expect(error.message.contains("header"))
    }

    @Test(arguments: ["0a00", "0a001001"]) func bodyMissing(_ hex: String) throws {
        let error = try #require(throws: WireError.self) { try MessageBody.split(ByteBuffer(hex: hex)) }
        #expect(error.code == .missingField)
        #expect(error.message.contains("body"))
    }

    @Test(arguments: [
        "ff", "ffffffff", "0a", "0a05 00", "0a ffffffffffffffffff01", "0a ffffffff07", "1201", "0a001200 08",
        "0a001200 0d000000", "0a001200 1100000000000000", "0a001200 00", "0a001200 0600", "0a001200 07",
        "0a001200 1c", "0a001200 1b", "0a001200 1b24", "0a001200 1b0c", "0a001200 18ffffffffffffffffffff01",
        "0a001200 ffffffffff01", "0a001200 f8ffffff1f01", "0a001200 8880808080 0001",
    ]) func malformed(_ hex: String) throws {
        let error = try #require(throws: WireError.self) { try MessageBody.split(ByteBuffer(hex: hex)) }
        #expect(error.code == .malformedBody)
        #expect(throws: (any Error).self) { try ProtoBytesMessage(decoding: ByteBuffer(hex: hex)) }
    }

    /// Groups nest as deep as the library lets them, at the top and within the header.
    @Test(arguments: 95...101) func nestedGroups(_ depth: Int) throws {
        let groups = ByteBuffer(bytes: Array(repeating: 0x63, count: depth) + Array(repeating: 0x64, count: depth))
        var top = ByteBuffer(hex: "0a00 1200")
        top.writeImmutableBuffer(groups)
        #expect(((try? MessageBody.split(top)) != nil) == (depth <= 99))
        let generated = try? ProtoBytesMessage(serializedBytes: Array(top.readableBytesView), partial: true)
        #expect((generated != nil) == (depth <= 99))

        var header = try ProtoHeader.sample.serializedBuffer()
        header.writeImmutableBuffer(groups)
        #expect(((try? MessageHeaderView(decoding: header)) != nil) == (depth <= 98))
        var packet = ByteBuffer()
        try PacketWriter.writeDelivery(
            into: &packet, framing: .plain, opaque: 1, version: 0, extension: 0, command: .bytesMessage, header: header,
            body: ByteBuffer(), extra: nil)
        packet.moveReaderIndex(forwardBy: PacketHeader.length)
        #expect(((try? ProtoBytesMessage(decoding: packet)) != nil) == (depth <= 98))
    }

    /// The broker never looks inside, and Go, PHP and C++ do not check what they send.
    @Test func stringBodyNeedNotBeText() throws {
        #expect(try MessageBody.split(ByteBuffer(hex: "0a00 1202 c3 28")).body.hex == "c328")
    }
}
