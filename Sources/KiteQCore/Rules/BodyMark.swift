/// Tells a message's body from another one that is not at hand. Chance does not make two alike; whoever wants to can.
package struct BodyMark: Sendable, Hashable {
    /// In bytes, as `OCTET_LENGTH(body)` has it.
    package var length: Int
    /// As `CRC32(body)` has it.
    package var crc: UInt32

    package init(length: Int, crc: UInt32) {
        self.length = length
        self.crc = crc
    }

    package init(_ message: Message) {
        self = message.withBytes { _, body, _ in BodyMark(length: body.count, crc: CRC32.of(body)) }
    }

    /// Whether it may be that message's body; the bytes are looked at where the length does not tell.
    package func matches(_ message: Message) -> Bool {
        message.withBytes { _, body, _ in body.count == length && CRC32.of(body) == crc }
    }
}
