package import NIOCore

extension PacketWriter {
    /// Writes the server's answer to CONN_META.
    ///
    /// - Parameter extensions: only for a client that knows of them; the others get the bytes that they always got.
    package static func writeConnAuthAck(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, version: Int16, extension: Int64, status: Bool,
        feedback: String, extensions: ConnAuthAck.Extensions? = nil
    ) {
        var feedback = feedback
        let numbers = extensions.map {
            [(15 << 3, Int64($0.capabilities.rawValue)), (16 << 3, Int64($0.deliveryTimeoutMilliseconds))]
        }
        let added = (numbers ?? []).reduce(0) { $0 + FieldWriter.size(ofKey: $1.0, number: $1.1) }
        feedback.withUTF8 { utf8 in
            let feedback = bounded(UnsafeRawBufferPointer(utf8))
            let header = PacketHeader(
                opaque: opaque, command: .connAuth, version: version, extension: `extension`,
                bodyLength: Int32(2 + FieldWriter.size(ofBytes: feedback.count) + added))
            write(header, framing, into: &buffer) { writer in
                writer.write(1 << 3, number: status ? 1 : 0)
                writer.write(2 << 3 | 2, bytes: feedback)
                for (key, number) in numbers ?? [] { writer.write(longKey: key, number: number) }
            }
        }
    }

    /// Writes the server's answer to a published message.
    ///
    /// - Parameter messageID: the id's text as bytes, which may come from any collection: a `String.UTF8View`, or digits made on
    ///   the way (which are put into an array first).
    @inlinable
    package static func writeStoreAck(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, version: Int16, extension: Int64,
        messageID: some Collection<UInt8>, status: Bool, feedback: String
    ) {
        let isDone: Void? = messageID.withContiguousStorageIfAvailable { id in
            writeStoreAck(
                into: &buffer, framing: framing, opaque: opaque, version: version, extension: `extension`,
                idBytes: UnsafeRawBufferPointer(id), status: status, feedback: feedback)
        }
        if isDone == nil {
            Array(messageID).withUnsafeBytes { id in
                writeStoreAck(
                    into: &buffer, framing: framing, opaque: opaque, version: version, extension: `extension`,
                    idBytes: id, status: status, feedback: feedback)
            }
        }
    }

    /// The same, from where the bytes are.
    @usableFromInline
    package static func writeStoreAck(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, version: Int16, extension: Int64,
        idBytes: UnsafeRawBufferPointer, status: Bool, feedback: String
    ) {
        var feedback = feedback
        let id = bounded(idBytes)
        feedback.withUTF8 { utf8 in
            let feedback = bounded(UnsafeRawBufferPointer(utf8))
            let length = FieldWriter.size(ofBytes: id.count) + 2 + FieldWriter.size(ofBytes: feedback.count)
            let header = PacketHeader(
                opaque: opaque, command: .messageStoreAck, version: version, extension: `extension`,
                bodyLength: Int32(length))
            write(header, framing, into: &buffer) { writer in
                writer.write(1 << 3 | 2, bytes: id)
                writer.write(2 << 3, number: status ? 1 : 0)
                writer.write(3 << 3 | 2, bytes: feedback)
            }
        }
    }

    /// Writes a TX_ACK: the broker's question (status ``TransactionAck/Status/unknown``) or a producer's answer.
    /// - Throws: ``WireError/Code/bodyTooLarge`` above 2 MiB, and nothing is written.
    package static func writeTransactionAck(
        into buffer: inout ByteBuffer, framing: Framing, opaque: Int32, version: Int16, extension: Int64,
        header: ByteBuffer, status: Int32, feedback: String
    ) throws(WireError) {
        let feedback = ByteBuffer(string: bounded(feedback))
        let length =
            FieldWriter.size(ofBytes: header.readableBytes) + 1 + FieldWriter.size(of: Int64(status))
            + FieldWriter.size(ofBytes: feedback.readableBytes)
        let head = PacketHeader(
            opaque: opaque, command: .txAck, version: version, extension: `extension`,
            bodyLength: try checked(length, .txAck))
        write(head, framing, into: &buffer) { writer in
            writer.write(1 << 3 | 2, bytes: header)
            writer.write(2 << 3, number: Int64(status))
            writer.write(3 << 3 | 2, bytes: feedback)
        }
    }
}
