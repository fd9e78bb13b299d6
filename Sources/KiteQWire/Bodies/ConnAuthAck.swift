package import NIOCore

/// The server's answer to CONN_META.
package struct ConnAuthAck: Sendable, Hashable {
    /// False: the server closes after this.
    package var status: Bool
    /// For people.
    package var feedback: String

    package init(status: Bool, feedback: String) {
        self.status = status
        self.feedback = feedback
    }

    /// - Throws: ``WireError/Code/malformedBody`` or ``WireError/Code/missingField``.
    package init(decoding body: ByteBuffer) throws(WireError) {
        let span = body.readableBytesSpan
        var status: Bool?
        var feedback: String?
        var reader = FieldReader(0..<span.byteCount, depth: 1)
        while try reader.next(in: span) {
            switch reader.key {
            case 1 << 3: status = reader.varint != 0
            case 2 << 3 | 2: feedback = span.repairedText(reader.content)
            default: break
            }
        }
        guard let status else { throw .missing("status", in: "CONN_AUTH") }
        guard let feedback else { throw .missing("feedback", in: "CONN_AUTH") }
        self.init(status: status, feedback: feedback)
    }
}
