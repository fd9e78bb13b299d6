package import NIOCore

/// Cuts a stream of bytes into packets, in either framing.
///
/// A server's decoder tells the framing from the first packet, which must be CONN_META, and holds on to it. Drive it by a
/// `NIOSingleStepByteToMessageProcessor`, which yields all packets of one read together.
///
/// Guarantees: a length is judged as soon as its bytes are there, before anything waits for, or takes memory for, the body;
/// so what lies undecoded is never more than ``maximumBufferedBytes`` and the one read that is at hand. Nothing is
/// consumed before an error, which therefore repeats if the decoder is asked again.
///
/// It does not look into bodies, and passes on commands it does not know.
package struct PacketDecoder: NIOSingleStepByteToMessageDecoder {
    package typealias InboundOut = Packet

    /// The longest packet with its prefix. As the processor's `maximumBufferSize` it is a second guard of the same bound.
    package static let maximumBufferedBytes = 4 + PacketHeader.length + PacketHeader.maximumBodyLength

    /// The connection's framing, once known.
    package private(set) var framing: Framing?

    private let maximumBodyLength: Int
    /// Of the first packet; nil once that has come.
    private var maximumFirstLength: Int?
    private let progress: PacketProgress?

    /// A server's decoder: learns the framing from the first packet.
    /// - Parameters:
    ///   - maximumBodyLength: of any packet, in bytes; at most that of the protocol.
    ///   - maximumFirstLength: of the first packet, which comes from nobody knows whom.
    ///   - progress: is told of each packet that is not whole yet.
    package init(
        maximumBodyLength: Int = PacketHeader.maximumBodyLength,
        maximumFirstLength: Int = PacketHeader.maximumBodyLength, progress: PacketProgress? = nil
    ) {
        self.progress = progress
        self.maximumBodyLength = min(maximumBodyLength, PacketHeader.maximumBodyLength)
        self.maximumFirstLength = maximumFirstLength
    }

    /// A decoder of a known framing, for the client's side; any packet may come first.
    package init(framing: Framing) {
        self.framing = framing
        maximumBodyLength = PacketHeader.maximumBodyLength
        progress = nil
    }

    package mutating func decode(buffer: inout ByteBuffer) throws -> Packet? {
        try next(from: &buffer)
    }

    package mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> Packet? {
        if let packet = try next(from: &buffer) { return packet }
        guard buffer.readableBytes == 0 else {
            throw WireError(
                .truncatedPacket, "The connection ended within a packet, \(buffer.readableBytes) bytes into it.",
                framing: framing)
        }
        return nil
    }

    /// The next packet, or nil if its bytes are not all here yet.
    package mutating func next(from buffer: inout ByteBuffer) throws(WireError) -> Packet? {
        let known: Framing
        if let framing {
            known = framing
        } else {
            guard let told = try FirstPacket.framing(of: buffer.readableBytesSpan) else { return nil }
            framing = told
            known = told
        }
        let longest = min(maximumBodyLength, maximumFirstLength ?? maximumBodyLength)
        guard let header = try Self.header(in: buffer.readableBytesSpan, framing: known, longest: longest) else {
            return nil
        }

        let start = known.prefixLength + PacketHeader.length
        let length = Int(header.bodyLength)
        guard let body = buffer.getSlice(at: buffer.readerIndex + start, length: length) else {
            progress?.announced = start + length
            return nil
        }
        maximumFirstLength = nil
        buffer.moveReaderIndex(forwardBy: start + length)
        if buffer.readableBytes == 0 {
            // An idle connection would otherwise keep the memory of its last read, up to megabytes.
            buffer = ByteBuffer()
        }
        return Packet(header: header, body: body, framing: known)
    }

    /// The next packet's header with its lengths checked, or nil if it is not all here yet.
    private static func header(
        in bytes: RawSpan, framing: Framing, longest: Int
    ) throws(WireError) -> PacketHeader? {
        let prefixLength = framing.prefixLength
        guard bytes.byteCount >= prefixLength + PacketHeader.length else { return nil }
        let header = PacketHeader(reading: bytes, at: prefixLength)

        guard !header.command.isJSON else { throw .jsonMode(header, framing) }
        guard header.bodyLength >= 0 else {
            throw WireError(
                .negativeLength, "\(header.command) announces a body of \(header.bodyLength) bytes.",
                framing: framing, header: header)
        }
        guard header.bodyLength <= longest else {
            throw WireError(
                .bodyTooLarge,
                "\(header.command) announces a body of \(header.bodyLength) bytes, more than \(longest).",
                framing: framing, header: header)
        }
        if framing == .lengthPrefixed {
            let prefix: Int32 = bytes.bigEndian(at: 0)
            guard Int(prefix) == PacketHeader.length + Int(header.bodyLength) else {
                throw WireError(
                    .lengthPrefixMismatch,
                    "The length prefix is \(prefix), but \(header.command) with a body of \(header.bodyLength) bytes takes \(PacketHeader.length + Int(header.bodyLength)).",
                    framing: framing, header: header)
            }
        }
        return header
    }
}

extension WireError {
    static func jsonMode(_ header: PacketHeader, _ framing: Framing) -> WireError {
        WireError(
            .jsonMode, "\(Command(rawValue: header.command.rawValue & 0x7F)) came in JSON mode, which is not spoken.",
            framing: framing, header: header)
    }
}
