package import NIOCore

extension PacketWriter {
    /// Writes the server's answer to CONN_META.
    package static func writeConnAuthAck(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, version: Int16, extension: Int64, status: Bool,
        feedback: String
    ) {
        let feedback = bounded(feedback)
        let length = 2 + FieldWriter.size(ofBytes: feedback.count)
        writeHead(
            PacketHeader(
                opaque: opaque, command: .connAuth, version: version, extension: `extension`,
                bodyLength: Int32(length)),
            framing, into: &buffer)
        FieldWriter.writeNumber(1 << 3, status ? 1 : 0, into: &buffer)
        FieldWriter.writeText(2 << 3 | 2, feedback, into: &buffer)
    }

    /// Writes the server's answer to a published message.
    ///
    /// - Parameter messageID: the id's text as bytes, which may come from any collection: a `String.UTF8View`,
    ///   ``MessageHeaderView/messageIDBytes``, or digits made on the way.
    @inlinable
    package static func writeStoreAck(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, version: Int16, extension: Int64,
        messageID: some Collection<UInt8>, status: Bool, feedback: String
    ) {
        let count = boundedCount(messageID)
        beginStoreAck(
            into: &buffer, framing: framing, opaque: opaque, version: version, extension: `extension`,
            messageIDLength: count, feedback: feedback)
        buffer.writeBytes(messageID.prefix(count))
        endStoreAck(into: &buffer, status: status, feedback: feedback)
    }

    /// Bytes of an echoed id, cut between characters.
    @inlinable
    package static func boundedCount(_ text: some Collection<UInt8>) -> Int {
        guard text.count > maximumTextLength else { return text.count }
        var count = maximumTextLength
        while text[text.index(text.startIndex, offsetBy: count)] & 0xC0 == 0x80, count > 0 { count -= 1 }
        return count
    }

    @usableFromInline
    package static func beginStoreAck(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, version: Int16, extension: Int64,
        messageIDLength: Int, feedback: String
    ) {
        let length =
            FieldWriter.size(ofBytes: messageIDLength) + 2 + FieldWriter.size(ofBytes: bounded(feedback).count)
        writeHead(
            PacketHeader(
                opaque: opaque, command: .messageStoreAck, version: version, extension: `extension`,
                bodyLength: Int32(length)),
            framing, into: &buffer)
        FieldWriter.writeLength(1 << 3 | 2, messageIDLength, into: &buffer)
    }

    @usableFromInline
    package static func endStoreAck(into buffer: inout ByteBuffer, status: Bool, feedback: String) {
        FieldWriter.writeNumber(2 << 3, status ? 1 : 0, into: &buffer)
        FieldWriter.writeText(3 << 3 | 2, bounded(feedback), into: &buffer)
    }

    /// Writes a TX_ACK: the broker's question (status ``TransactionAck/Status/unknown``) or a producer's answer.
    /// - Throws: ``WireError/Code/bodyTooLarge`` above 2 MiB, and nothing is written.
    package static func writeTransactionAck(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, version: Int16, extension: Int64,
        header: ByteBuffer, status: Int32, feedback: String
    ) throws(WireError) {
        let feedback = bounded(feedback)
        let length =
            FieldWriter.size(ofBytes: header.readableBytes) + 1 + FieldWriter.size(of: Int64(status))
            + FieldWriter.size(ofBytes: feedback.count)
        writeHead(
            PacketHeader(
                opaque: opaque, command: .txAck, version: version, extension: `extension`,
                bodyLength: try checked(length, .txAck)),
            framing, into: &buffer)
        FieldWriter.writeBytes(1 << 3 | 2, header, into: &buffer)
        FieldWriter.writeNumber(2 << 3, Int64(status), into: &buffer)
        FieldWriter.writeText(3 << 3 | 2, feedback, into: &buffer)
    }
}
