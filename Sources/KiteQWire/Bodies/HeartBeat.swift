package import NIOCore

/// A client's sign of life; the server answers with the same body and opaque.
package struct HeartBeat: Sendable, Hashable {
    /// Whatever the client counts by: seconds from Go, milliseconds from Java.
    package var version: Int64

    package init(version: Int64) {
        self.version = version
    }

    /// - Throws: ``WireError/Code/malformedBody`` or ``WireError/Code/missingField``.
    package init(decoding body: ByteBuffer) throws(WireError) {
        let span = body.readableBytesSpan
        var version: Int64?
        var reader = FieldReader(0..<span.byteCount, depth: 1)
        while try reader.next(in: span) {
            if reader.key == 1 << 3 { version = Int64(bitPattern: reader.varint) }
        }
        guard let version else { throw .missing("version", in: "The heartbeat") }
        self.version = version
    }
}
