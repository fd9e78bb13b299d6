import KiteQWire
import NIOCore
import Testing

/// The additions to the protocol: read as they were written, and not there for those who do not know of them.
@Suite struct ExtensionTests {
    private func body(_ write: (inout ByteBuffer) throws -> Void) throws -> Packet {
        var buffer = ByteBuffer()
        try write(&buffer)
        var decoder = PacketDecoder(framing: .lengthPrefixed)
        return try #require(try decoder.decode(buffer: &buffer))
    }

    @Test(arguments: [nil, [], [.extend], [.extend, .doesNotConsume]] as [ClientCapabilities?], [0, 1, 127, .max])
    func whatAClientSaysOfItself(_ capabilities: ClientCapabilities?, _ window: UInt32) throws {
        let meta = ConnMeta(
            groupID: "g", secretKey: "s", warmingUpSeconds: 3, capabilities: capabilities, window: window)
        let packet = try body { try PacketWriter.writeConnMeta(into: &$0, framing: .lengthPrefixed, opaque: 1, meta) }
        #expect(try ConnMeta(decoding: packet.body) == meta)
    }

    @Test func aClientWithoutAdditionsIsWhatItWas() throws {
        let packet = try body {
            try PacketWriter.writeConnMeta(
                into: &$0, framing: .lengthPrefixed, opaque: 1, ConnMeta(groupID: "g", secretKey: "s"))
        }
        #expect(packet.body.hex == "0a0167" + "120173" + "1800")
    }

    @Test(
        arguments: [[], [.extend], [.extend, .respectsDoesNotConsume, .respectsWindow]] as [BrokerCapabilities],
        [1, 5_000, .max])
    func whatABrokerSaysOfItself(_ capabilities: BrokerCapabilities, _ timeout: UInt32) throws {
        let extensions = ConnAuthAck.Extensions(capabilities: capabilities, deliveryTimeoutMilliseconds: timeout)
        let packet = try body {
            PacketWriter.writeConnAuthAck(
                into: &$0, framing: .lengthPrefixed, opaque: 1, version: 0, extension: 0, status: true,
                feedback: "welcome", extensions: extensions)
        }
        let ack = ConnAuthAck(status: true, feedback: "welcome", extensions: extensions)
        #expect(try ConnAuthAck(decoding: packet.body) == ack)
        let generated = try ProtoConnAuthAck(decoding: packet.body)
        #expect(generated.capabilities == capabilities.rawValue && generated.deliveryTimeoutMs == timeout)
    }

    @Test func opaquesOfAnExtension() throws {
        let extend = DeliverExtend(opaques: [1, 0, .max, 0x1234_5678])
        let packet = try body {
            try PacketWriter.writeDeliverExtend(into: &$0, framing: .lengthPrefixed, opaque: 9, extend)
        }
        #expect(packet.header.command.rawValue == 0x07 && packet.header.opaque == 9)
        #expect(packet.body.hex == "0a10" + "01000000" + "00000000" + "ffffffff" + "78563412")
        #expect(try DeliverExtend(decoding: packet.body, limit: 4) == extend)
        #expect(throws: WireError.self) { try DeliverExtend(decoding: packet.body, limit: 3) }
        // One by one, and in pieces.
        let apart = ByteBuffer(hex: "0d01000000" + "0a0400000000" + "0dffffffff")
        #expect(try DeliverExtend(decoding: apart, limit: 3).opaques == [1, 0, .max])
        #expect(throws: WireError.self) { try DeliverExtend(decoding: apart, limit: 2) }
        #expect(throws: WireError.self) { try DeliverExtend(decoding: ByteBuffer(hex: "0a0301000000")) }
        #expect(try DeliverExtend(decoding: ByteBuffer()).opaques.isEmpty)
    }
}
