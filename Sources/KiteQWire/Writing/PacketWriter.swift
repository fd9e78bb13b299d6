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
        write(header, framing, into: &buffer) { writer in
            body.withUnsafeReadableBytes { writer.write($0) }
        }
    }

    /// Writes a packet: its prefix and header, then by the closure a body of just the length in the header.
    static func write(
        _ header: PacketHeader, _ framing: Framing, into buffer: inout ByteBuffer, body: (inout FieldWriter) -> Void
    ) {
        let length = PacketHeader.length + Int(header.bodyLength)
        buffer.write(exactly: framing.prefixLength + length) { writer in
            if framing == .lengthPrefixed {
                writer.write(bigEndian: Int32(length))
            }
            writer.write(bigEndian: header.opaque)
            writer.write(bigEndian: header.command.rawValue)
            writer.write(bigEndian: header.version)
            writer.write(bigEndian: header.extension)
            writer.write(bigEndian: header.bodyLength)
            body(&writer)
        }
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
    static func bounded(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard text.count > maximumTextLength else { return text }
        var end = maximumTextLength
        while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: text[..<end])
    }

    /// The text as far as a packet carries it, cut between characters.
    static func bounded(_ text: String) -> String {
        guard text.utf8.count > maximumTextLength else { return text }
        var text = text
        return text.withUTF8 { String(decoding: bounded(UnsafeRawBufferPointer($0)), as: UTF8.self) }
    }
}
