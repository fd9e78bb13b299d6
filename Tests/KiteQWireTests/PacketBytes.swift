import KiteQWire
import NIOCore

/// A packet's bytes made by hand, right or wrong, independently of the writers under test.
struct PacketBytes {
    var opaque: Int32 = 1
    var command: UInt8 = 0x02
    var version: Int16 = 0
    var `extension`: Int64 = 0
    var body = ByteBuffer(hex: "0a0167 120173")
    /// What the header says of the body's length; nil for the truth.
    var bodyLength: Int32?
    /// What the prefix says; nil for the truth.
    var prefix: Int32?

    func bytes(_ framing: Framing) -> ByteBuffer {
        var bytes = ByteBuffer()
        let length = bodyLength ?? Int32(body.readableBytes)
        if framing == .lengthPrefixed { bytes.writeInteger(prefix ?? 19 &+ length) }
        bytes.writeInteger(opaque)
        bytes.writeInteger(command)
        bytes.writeInteger(version)
        bytes.writeInteger(`extension`)
        bytes.writeInteger(length)
        bytes.writeImmutableBuffer(body)
        return bytes
    }
}
