import KiteQWire
import NIOCore
import Testing

/// The stream of a connection whose first packet was right: what is cut out of it, and what ends it.
@Suite struct PacketDecoderTests {
    static let limit = PacketHeader.maximumBodyLength

    /// Feeds the pieces to a server's decoder as reads, and collects what comes out.
    private func packets(of reads: [ByteBuffer]) throws -> [Packet] {
        let processor = NIOSingleStepByteToMessageProcessor(
            PacketDecoder(), maximumBufferSize: PacketDecoder.maximumBufferedBytes)
        var packets: [Packet] = []
        for read in reads { try processor.process(buffer: read) { packets.append($0) } }
        try processor.finishProcessing(seenEOF: true) { packets.append($0) }
        return packets
    }

    private func conversation(_ framing: Framing) -> (bytes: ByteBuffer, bodies: [ByteBuffer]) {
        let bodies = [
            ByteBuffer(hex: "0a0167 120173"), ByteBuffer(), ByteBuffer(repeating: 7, count: 300),
            ByteBuffer(hex: "0801"),
        ]
        var bytes = ByteBuffer()
        for (number, body) in bodies.enumerated() {
            let command: UInt8 = number == 0 ? 0x02 : 0x11
            bytes.writeImmutableBuffer(
                PacketBytes(
                    opaque: Int32(number), command: command, version: -2, extension: .min + 1, body: body
                ).bytes(framing))
        }
        return (bytes, bodies)
    }

    @Test(arguments: Framing.allCases) func severalPacketsInOneRead(_ framing: Framing) throws {
        let (bytes, bodies) = conversation(framing)
        let packets = try packets(of: [bytes])
        #expect(packets.map(\.body) == bodies)
        #expect(packets.map(\.header.opaque) == [0, 1, 2, 3])
        #expect(packets.allSatisfy { $0.framing == framing })
        #expect(packets.allSatisfy { $0.header.version == -2 && $0.header.extension == .min + 1 })
    }

    @Test(arguments: Framing.allCases) func byteByByte(_ framing: Framing) throws {
        let (bytes, bodies) = conversation(framing)
        let packets = try packets(of: bytes.readableBytesView.map { ByteBuffer(bytes: [$0]) })
        #expect(packets.map(\.body) == bodies)
        #expect(packets.map(\.framing) == bodies.map { _ in framing })
    }

    @Test(arguments: Framing.allCases, 1...97) func cutAnywhere(_ framing: Framing, _ size: Int) throws {
        var (bytes, bodies) = conversation(framing)
        var reads: [ByteBuffer] = []
        while let read = bytes.readSlice(length: min(size, bytes.readableBytes)), read.readableBytes > 0 {
            reads.append(read)
        }
        #expect(try packets(of: reads).map(\.body) == bodies)
    }

    @Test(arguments: Framing.allCases) func longestBody(_ framing: Framing) throws {
        let body = ByteBuffer(repeating: 0xAB, count: Self.limit)
        var stream = PacketBytes().bytes(framing)
        stream.writeImmutableBuffer(PacketBytes(command: 0x11, body: body).bytes(framing))
        var reads: [ByteBuffer] = []
        while let read = stream.readSlice(length: min(65_536, stream.readableBytes)), read.readableBytes > 0 {
            reads.append(read)
        }
        let processor = NIOSingleStepByteToMessageProcessor(
            PacketDecoder(), maximumBufferSize: PacketDecoder.maximumBufferedBytes)
        var bodies: [ByteBuffer] = []
        for read in reads {
            try processor.process(buffer: read) { bodies.append($0.body) }
            #expect(processor.unprocessedBytes < PacketDecoder.maximumBufferedBytes)
        }
        #expect(bodies.last == body)
        #expect(processor.unprocessedBytes == 0)
    }

    /// Judged from the header alone: nothing is waited for, consumed, or made room for.
    @Test(arguments: Framing.allCases, [limit + 1, Int(Int32.max), -1, Int(Int32.min)])
    func lengthOutOfBounds(_ framing: Framing, _ length: Int) throws {
        var packet = PacketBytes(opaque: 77, command: 0x11, body: ByteBuffer())
        packet.bodyLength = Int32(length)
        var buffer = packet.bytes(framing)
        let (before, capacity) = (buffer, buffer.capacity)
        var decoder = PacketDecoder(framing: framing)
        let error = try #require(throws: WireError.self) { try decoder.decode(buffer: &buffer) }
        #expect(error.code == (length < 0 ? .negativeLength : .bodyTooLarge))
        #expect(error.header?.opaque == 77)
        #expect(error.framing == framing)
        #expect(error.message.contains(String(length)))
        #expect(buffer == before)
        #expect(buffer.capacity == capacity)
        #expect(throws: error) { try decoder.decode(buffer: &buffer) }
    }

    /// Who announces much and sends nothing gets no memory for it.
    @Test(arguments: Framing.allCases) func announcementTakesNoMemory(_ framing: Framing) throws {
        var packet = PacketBytes(command: 0x11, body: ByteBuffer())
        packet.bodyLength = Int32(Self.limit)
        var buffer = packet.bytes(framing)
        let capacity = buffer.capacity
        var decoder = PacketDecoder(framing: framing)
        #expect(try decoder.decode(buffer: &buffer) == nil)
        #expect(buffer.capacity == capacity)
    }

    /// An idle connection holds no read buffer.
    @Test func decodedBufferIsLetGo() throws {
        var decoder = PacketDecoder()
        var buffer = PacketBytes(body: ByteBuffer(repeating: 1, count: 100_000)).bytes(.plain)
        #expect(try decoder.decode(buffer: &buffer) != nil)
        #expect(buffer.capacity == 0)
    }

    @Test(arguments: [0, 18, 24, 26, -1, Int32.max, Int32.min]) func prefixIsNotTheLength(_ prefix: Int32) throws {
        var packet = PacketBytes(opaque: 5, command: 0x11)
        packet.prefix = prefix
        var buffer = packet.bytes(.lengthPrefixed)
        var decoder = PacketDecoder(framing: .lengthPrefixed)
        let error = try #require(throws: WireError.self) { try decoder.decode(buffer: &buffer) }
        #expect(error.code == .lengthPrefixMismatch)
        #expect(error.header?.opaque == 5)
    }

    @Test(arguments: Framing.allCases) func framingStays(_ framing: Framing) throws {
        let other: Framing = framing == .plain ? .lengthPrefixed : .plain
        var stream = PacketBytes().bytes(framing)
        stream.writeImmutableBuffer(PacketBytes(command: 0x01).bytes(other))
        var decoder = PacketDecoder()
        #expect(try decoder.decode(buffer: &stream)?.framing == framing)
        // What follows is read in the connection's framing, where it is another packet, an incomplete one or none.
        if let packet = try? decoder.decode(buffer: &stream) {
            #expect(packet.framing == framing)
            #expect(packet.header.command != .heartbeat)
        }
        #expect(decoder.framing == framing)
    }

    @Test(arguments: Framing.allCases) func unknownCommandsArePassedOn(_ framing: Framing) throws {
        for command in UInt8.min...UInt8.max where !Command(rawValue: command).isJSON {
            var decoder = PacketDecoder(framing: framing)
            var buffer = PacketBytes(command: command).bytes(framing)
            let packet = try #require(try decoder.decode(buffer: &buffer))
            #expect(packet.header.command.rawValue == command)
            #expect(packet.header.command.isKnown == [1, 2, 3, 4, 5, 6, 0x11, 0x12].contains(command))
        }
    }

    @Test(arguments: Framing.allCases, [0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x91, 0x92] as [UInt8])
    func jsonMode(_ framing: Framing, _ command: UInt8) throws {
        for var decoder in [PacketDecoder(), PacketDecoder(framing: framing)] {
            var buffer = PacketBytes(opaque: 9, command: command).bytes(framing)
            let error = try #require(throws: WireError.self) { try decoder.decode(buffer: &buffer) }
            #expect(error.code == .jsonMode)
            #expect(error.header?.opaque == 9)
            #expect(error.framing == framing)
        }
    }

    @Test(arguments: Framing.allCases) func connectionEndsWithinAPacket(_ framing: Framing) throws {
        let whole = PacketBytes().bytes(framing)
        for length in 1..<whole.readableBytes {
            var stream = whole
            stream.writeImmutableBuffer(try #require(whole.getSlice(at: 0, length: length)))
            let error = try #require(throws: WireError.self) { try packets(of: [stream]) }
            #expect(error.code == .truncatedPacket)
            #expect(error.message.contains("\(length) bytes"))
        }
        #expect(try packets(of: []).isEmpty)
    }
}
