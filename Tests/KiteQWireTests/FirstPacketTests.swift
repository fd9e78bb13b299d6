import KiteQWire
import NIOCore
import Testing

/// How a connection's framing is told, and what is said to who begins with something else than CONN_META.
@Suite struct FirstPacketTests {
    private func firstError(_ bytes: ByteBuffer) throws -> WireError {
        var (decoder, buffer) = (PacketDecoder(), bytes)
        let error = try #require(throws: WireError.self) { try decoder.decode(buffer: &buffer) }
        #expect(buffer == bytes)
        #expect(decoder.framing == nil || error.code != .firstPacketNotConnMeta)
        return error
    }

    /// Opaques that look like the other framing: the byte that is the command there, or the length prefix.
    @Test(arguments: Framing.allCases, [0, 1, 25, 0x0200_0000, 0x0202_0202, 2, -1, .max, .min] as [Int32])
    func opaqueDoesNotMislead(_ framing: Framing, _ opaque: Int32) throws {
        var buffer = PacketBytes(opaque: opaque).bytes(framing)
        var decoder = PacketDecoder()
        let packet = try #require(try decoder.decode(buffer: &buffer))
        #expect(packet.framing == framing)
        #expect(packet.header.opaque == opaque)
        #expect(decoder.framing == framing)
    }

    /// Both places hold 0x02 and the plain opaque could be a length prefix: only the sum tells.
    @Test func bothCommandsFit() throws {
        var buffer = PacketBytes(opaque: 25, extension: 0x0002_0000_0000_0000).bytes(.plain)
        #expect(buffer.getInteger(at: 8, as: UInt8.self) == 2)
        var decoder = PacketDecoder()
        #expect(try decoder.decode(buffer: &buffer)?.framing == .plain)
    }

    @Test func waitsForEnough() throws {
        for framing in Framing.allCases {
            let whole = PacketBytes().bytes(framing)
            for length in 0..<whole.readableBytes {
                var (decoder, buffer) = (PacketDecoder(), try #require(whole.getSlice(at: 0, length: length)))
                #expect(try decoder.decode(buffer: &buffer) == nil)
            }
        }
    }

    @Test(arguments: Framing.allCases, [0x01, 0x03, 0x04, 0x05, 0x06, 0x11, 0x12] as [UInt8])
    func anotherCommandFirst(_ framing: Framing, _ command: UInt8) throws {
        let error = try firstError(PacketBytes(opaque: 7, command: command, version: 2).bytes(framing))
        #expect(error.code == .firstPacketNotConnMeta)
        #expect(error.framing == framing)
        #expect(error.header?.opaque == 7)
        #expect(error.header?.version == 2)
        #expect(error.message.contains(Command(rawValue: command).description))
    }

    @Test func http() throws {
        let error = try firstError(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
        #expect(error.code == .firstPacketNotConnMeta)
        #expect(error.message.contains(#""GET / HTTP/1.1\x0d\x0a""#))
        #expect(error.header == nil)
    }

    @Test func tlsHello() throws {
        let error = try firstError(ByteBuffer(hex: "16030100f5010000f10303 a1b2c3d4e5f6"))
        #expect(error.code == .firstPacketNotConnMeta)
        #expect(error.message.contains(#"\x16\x03\x01\x00\xf5"#))
    }

    /// Nothing of a peer reaches a log line raw.
    @Test func logLineIsSafe() throws {
        let error = try firstError(ByteBuffer(string: "\"\u{1B}[2J\n\r\\fake: line"))
        #expect(error.description.unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) })
    }

    @Test func unknownCommandFirst() throws {
        let error = try firstError(PacketBytes(command: 0x7F, body: ByteBuffer(string: "abc")).bytes(.plain))
        #expect(error.code == .firstPacketNotConnMeta)
    }

    @Test(arguments: [18, 0, -1, Int32(19 + PacketHeader.maximumBodyLength + 1), .max, .min] as [Int32])
    func impossiblePrefix(_ prefix: Int32) throws {
        var packet = PacketBytes()
        packet.prefix = prefix
        #expect(try firstError(packet.bytes(.lengthPrefixed)).code == .lengthPrefixMismatch)
    }

    @Test func wrongPrefix() throws {
        var packet = PacketBytes()
        packet.prefix = 24
        #expect(try firstError(packet.bytes(.lengthPrefixed)).code == .lengthPrefixMismatch)
    }

    @Test(arguments: [-1, Int32(PacketHeader.maximumBodyLength + 1)]) func impossibleLength(_ length: Int32) throws {
        var packet = PacketBytes()
        packet.bodyLength = length
        #expect(try firstError(packet.bytes(.plain)).code == (length < 0 ? .negativeLength : .bodyTooLarge))
    }

    @Test func clientTakesAnyFirstPacket() throws {
        var buffer = PacketBytes(command: 0x03).bytes(.plain)
        var decoder = PacketDecoder(framing: .plain)
        #expect(try decoder.decode(buffer: &buffer)?.header.command == .connAuth)
    }
}
