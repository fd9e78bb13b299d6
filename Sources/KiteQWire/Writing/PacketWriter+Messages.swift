package import NIOCore

extension PacketWriter {
    /// Bytes of a message packet's body: what decides whether a message fits into a packet.
    package static func messageLength(header: ByteBuffer, body: ByteBuffer, extra: ByteBuffer?) -> Int {
        messageLength(header: header.readableBytes, body: body.readableBytes, extra: extra?.readableBytes ?? 0)
    }

    private static func messageLength(header: Int, body: Int, extra: Int) -> Int {
        FieldWriter.size(ofBytes: header) + FieldWriter.size(ofBytes: body) + extra
    }

    /// Writes a message, delivered or published, from its parts as ``MessageBody`` has them.
    ///
    /// - Parameters:
    ///   - version: what the connection's CONN_META had; likewise `extension`.
    ///   - command: `.bytesMessage` or `.stringMessage`, as it was published.
    ///   - header: the header's bytes, with createTime filled in.
    ///   - extra: other fields of the message with their tags, written behind the two.
    /// - Throws: ``WireError/Code/bodyTooLarge`` above 2 MiB, and nothing is written. A header that grew by a filled-in
    ///   field can come to that: a broker checks ``messageLength(header:body:extra:)`` when it accepts a message.
    package static func writeDelivery(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, version: Int16, extension: Int64,
        command: Command, header: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer,
        extra: UnsafeRawBufferPointer?
    ) throws(WireError) {
        let length = messageLength(header: header.count, body: body.count, extra: extra?.count ?? 0)
        let head = PacketHeader(
            opaque: opaque, command: command, version: version, extension: `extension`,
            bodyLength: try checked(length, command))
        write(head, framing, into: &buffer) { writer in
            writer.write(MessageBody.Field.header, bytes: header)
            writer.write(MessageBody.Field.body, bytes: body)
            if let extra { writer.write(extra) }
        }
    }

    /// As above, of buffers.
    package static func writeDelivery(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, version: Int16, extension: Int64,
        command: Command, header: ByteBuffer, body: ByteBuffer, extra: ByteBuffer?
    ) throws(WireError) {
        let extra = extra ?? ByteBuffer()
        try header.readableBytesSpan.withUnsafeBytes { (headerBytes) throws(WireError) in
            try body.readableBytesSpan.withUnsafeBytes { (bodyBytes) throws(WireError) in
                try extra.readableBytesSpan.withUnsafeBytes { (extraBytes) throws(WireError) in
                    try writeDelivery(
                        into: &buffer, framing: framing, opaque: opaque, version: version, extension: `extension`,
                        command: command, header: headerBytes, body: bodyBytes, extra: extraBytes)
                }
            }
        }
    }
}
