import KiteQCore
import KiteQWire
import NIOCore

/// A publish that was built once; its id, opaque and time are put in as it is sent, so that the load costs next to nothing.
struct BenchPacket {
    private var bytes = ByteBuffer()
    private let opaqueAt: Int
    private let idAt: Int
    private let timeAt: Int

    /// - Parameter size: bytes of the body, at least the 8 of the time.
    init(topic: String, messageType: String, group: String, size: Int, isFly: Bool) throws {
        let id = String(repeating: "0", count: 32)
        var header = ProtoHeader()
        header.messageID = id
        header.topic = topic
        header.messageType = messageType
        header.expiredTime = -1
        header.deliverLimit = 100
        header.groupID = group
        header.commit = true
        header.fly = isFly
        header.createTime = 1_800_000_000
        var body = ByteBuffer()
        body.writeInteger(Self.mark)
        body.writeRepeatingByte(120, count: size - 8)
        try PacketWriter.writeDelivery(
            into: &bytes, framing: .plain, opaque: Self.opaqueMark, version: 0, extension: 0, command: .bytesMessage,
            header: header.serializedBuffer(), body: body, extra: nil)
        let view = bytes.readableBytesView
        func place(of pattern: some Collection<UInt8>) throws -> Int {
            guard let range = view.firstRange(of: pattern) else {
                throw CommandError("a packet of the load lacks a part")
            }
            return range.lowerBound
        }
        opaqueAt = try place(of: ByteBuffer(integer: Self.opaqueMark).readableBytesView)
        idAt = try place(of: id.utf8)
        timeAt = try place(of: ByteBuffer(integer: Self.mark).readableBytesView)
    }

    private static let mark: UInt64 = 0xA5C3_9E17_B0F2_6D48
    private static let opaqueMark: Int32 = 0x5A17_C3F1

    mutating func write(into buffer: inout ByteBuffer, opaque: Int32, id: (UInt64, UInt64), time: Int64) {
        bytes.setInteger(opaque, at: opaqueAt)
        bytes.setInteger(time, at: timeAt)
        let (high, low) = (Self.digits(id.0), Self.digits(id.1))
        bytes.setInteger(high.0, at: idAt)
        bytes.setInteger(high.1, at: idAt + 8)
        bytes.setInteger(low.0, at: idAt + 16)
        bytes.setInteger(low.1, at: idAt + 24)
        buffer.writeImmutableBuffer(bytes)
    }

    /// The 16 hexadecimal digits of a number, eight bytes at a time.
    private static func digits(_ value: UInt64) -> (UInt64, UInt64) {
        (digits(UInt32(truncatingIfNeeded: value >> 32)), digits(UInt32(truncatingIfNeeded: value)))
    }

    private static func digits(_ value: UInt32) -> UInt64 {
        // Spreads the digits over the bytes, then turns each into its character.
        var spread = UInt64(value)
        spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        spread = (spread | spread << 4) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = (spread + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return spread + 0x3030_3030_3030_3030 + letters * 39
    }
}
