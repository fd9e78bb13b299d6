import NIOCore
import Testing

@testable import KiteQWire

@Suite struct PacketLimitTests {
    /// A packet with a body of so many bytes, of which `present` are here.
    private func packet(_ command: Command, length: Int, present: Int? = nil) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(1))
        buffer.writeInteger(command.rawValue)
        buffer.writeInteger(Int16(0))
        buffer.writeInteger(Int64(0))
        buffer.writeInteger(Int32(length))
        buffer.writeRepeatingByte(0, count: present ?? length)
        return buffer
    }

    @Test func theFirstPacketHasALimitOfItsOwn() throws {
        var decoder = PacketDecoder(maximumFirstLength: 100)
        var long = packet(.connMeta, length: 101, present: 0)
        let error = #expect(throws: WireError.self) { try decoder.next(from: &long) }
        #expect(error?.code == .bodyTooLarge && error?.message.hasSuffix("more than 100.") == true)
        decoder = PacketDecoder(maximumFirstLength: 100)
        var first = packet(.connMeta, length: 100)
        #expect(try decoder.next(from: &first)?.body.readableBytes == 100)
        var second = packet(.stringMessage, length: 2 << 20)
        #expect(try decoder.next(from: &second)?.body.readableBytes == 2 << 20)
    }

    @Test func theLimitOfAllCanBeLoweredAndNotRaised() throws {
        for (limit, longest) in [(1_000, 1_000), (1 << 30, 2 << 20)] {
            var decoder = PacketDecoder(maximumBodyLength: limit)
            var first = packet(.connMeta, length: 10)
            #expect(try decoder.next(from: &first) != nil)
            var fitting = packet(.stringMessage, length: longest)
            #expect(try decoder.next(from: &fitting) != nil)
            var long = packet(.stringMessage, length: longest + 1, present: 0)
            #expect(throws: WireError.self) { try decoder.next(from: &long) }
        }
    }
}
