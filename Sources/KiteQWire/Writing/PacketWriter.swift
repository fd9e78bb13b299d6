package import NIOCore

/// Writes whole packets into a buffer, so that all that a read or a batch has to say goes out in one write.
///
/// Lengths are computed first and room is made once; nothing is moved afterwards. Fields are written in the order of their
/// numbers, as the clients do. Texts for people, and ids echoed to whoever sent them, are cut at
/// ``maximumTextLength``, so that no answer is longer than a packet can be.
package enum PacketWriter {
    /// Bytes of a feedback or of an echoed id at most.
    package static let maximumTextLength = 1024

    /// Writes a packet whose body is at hand: a heartbeat's answer is the heartbeat's body with its opaque.
    /// - Throws: ``WireError/Code/bodyTooLarge`` above 2 MiB, and nothing is written.
    package static func writePacket(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, command: Command, version: Int16 = 0,
        extension: Int64 = 0, body: ByteBuffer
    ) throws(WireError) {
        let header = PacketHeader(
            opaque: opaque, command: command, version: version, extension: `extension`,
            bodyLength: try checked(body.readableBytes, command))
        writeHead(header, framing, into: &buffer)
        buffer.writeImmutableBuffer(body)
    }

    /// Makes room for a packet and writes what comes before its body.
    static func writeHead(_ header: PacketHeader, _ framing: Framing, into buffer: inout ByteBuffer) {
        let length = PacketHeader.length + Int(header.bodyLength)
        buffer.reserveCapacity(minimumWritableBytes: framing.prefixLength + length)
        if framing == .lengthPrefixed {
            buffer.writeInteger(Int32(length))
        }
        buffer.writeMultipleIntegers(
            header.opaque, header.command.rawValue, header.version, header.extension, header.bodyLength)
    }

    /// A body's length, if a packet can hold it.
    static func checked(_ length: Int, _ command: Command) throws(WireError) -> Int32 {
        guard length <= PacketHeader.maximumBodyLength else {
            throw WireError(
                .bodyTooLarge,
                "\(command) would have a body of \(length) bytes, more than \(PacketHeader.maximumBodyLength).")
        }
        return Int32(length)
    }

    /// The text as far as an answer carries it, cut between characters.
    static func bounded(_ text: String) -> Substring.UTF8View {
        let utf8 = text.utf8
        guard utf8.count > maximumTextLength else { return text[...].utf8 }
        var end = utf8.index(utf8.startIndex, offsetBy: maximumTextLength)
        while utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
        return text[..<end].utf8
    }
}
