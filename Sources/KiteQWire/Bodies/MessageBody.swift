package import NIOCore

/// A BytesMessage or StringMessage taken apart, its parts as they came.
///
/// Nothing is decoded here: what a producer sent is passed on byte for byte, fields that this version does not know
/// included. The parts are slices of the packet's body wherever each is in one piece there, as all clients send them.
///
/// The header is only cut out; ``MessageHeaderView`` reads it. The text of a StringMessage is not held to be UTF-8: two of
/// the four clients send whatever bytes the application has, and none of them checks what arrives.
package struct MessageBody: Sendable, Hashable {
    /// The header's bytes. Where a body has several, they are put together, which is how protobuf merges messages.
    package var header: ByteBuffer
    /// The message's own bytes. Where a body has several, the last one counts.
    package var body: ByteBuffer
    /// Fields other than those two, in their order and with their tags; nil where there are none.
    package var extra: ByteBuffer?

    package init(header: ByteBuffer, body: ByteBuffer, extra: ByteBuffer? = nil) {
        self.header = header
        self.body = body
        self.extra = extra
    }

    /// Takes a packet's body apart.
    /// - Throws: ``WireError/Code/malformedBody``, or ``WireError/Code/missingField`` without header or body.
    package static func split(_ packetBody: ByteBuffer) throws(WireError) -> MessageBody {
        let bytes = packetBody.readableBytesSpan
        var header = HeaderPieces()
        var body: Range<Int>?
        var extra: ByteBuffer?
        var reader = FieldReader(0..<bytes.byteCount, depth: 1)
        while try reader.next(in: bytes) {
            switch reader.key {
            case Field.header:
                try header.add(reader.content, of: packetBody)
            case Field.body:
                body = reader.content
            default:
                let field = packetBody.slice(reader.start..<reader.offset)
                if extra?.writeImmutableBuffer(field) == nil { extra = field }
            }
        }
        guard let header = header.merged else { throw .missing("header", in: "The message") }
        guard let body else { throw .missing("body", in: "The message") }
        return MessageBody(header: header, body: packetBody.slice(body), extra: extra)
    }

    /// Number and wire type (2, length-delimited) of the two fields.
    enum Field {
        static let header = 1 << 3 | 2
        static let body = 2 << 3 | 2
    }
}

extension ByteBuffer {
    /// The readable bytes at these offsets, which a reader of the same bytes has found.
    func slice(_ range: Range<Int>) -> ByteBuffer {
        guard let slice = getSlice(at: readerIndex + range.lowerBound, length: range.count) else {
            preconditionFailure("A field was found outside of the bytes it was read from.")
        }
        return slice
    }
}
