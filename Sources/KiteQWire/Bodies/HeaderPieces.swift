import NIOCore

/// A message's header that a body may hold in several pieces. Protobuf merges such messages, and to put their bytes
/// together is the same: a slice while there is one piece, as all clients send it, a copy from the second on.
struct HeaderPieces {
    private(set) var merged: ByteBuffer?
    private var isAlone = true

    /// Adds the piece at these offsets.
    /// - Throws: ``WireError/Code/malformedBody`` where pieces would be well-formed only together.
    mutating func add(_ range: Range<Int>, of body: ByteBuffer) throws(WireError) {
        let piece = body.slice(range)
        if merged == nil {
            merged = piece
            return
        }
        if isAlone, let first = merged {
            isAlone = false
            try Self.check(first)
        }
        try Self.check(piece)
        // In place: a second reference here would make each piece copy all before it.
        merged?.writeImmutableBuffer(piece)
    }

    private static func check(_ piece: ByteBuffer) throws(WireError) {
        let span = piece.readableBytesSpan
        try FieldReader.check(span, 0..<span.byteCount, depth: 2)
    }
}
