package import NIOCore

/// The body of TX_ACK: a producer's commit or roll back, the broker's question, or the answer to it.
package struct TransactionAck: Sendable, Hashable {
    /// What `status` says. Any other number is passed on for the receiver to refuse.
    package enum Status {
        /// From the broker: the question. From a producer: it cannot tell (yet).
        package static let unknown: Int32 = 0
        package static let commit: Int32 = 1
        package static let rollBack: Int32 = 2
    }

    /// The message's header, cut out and not read: ``MessageHeaderView`` does that. Its `commit` says nothing here.
    package var header: ByteBuffer
    package var status: Int32
    /// For people.
    package var feedback: String

    package init(header: ByteBuffer, status: Int32, feedback: String) {
        self.header = header
        self.status = status
        self.feedback = feedback
    }

    /// - Throws: ``WireError/Code/malformedBody`` or ``WireError/Code/missingField``.
    package init(decoding body: ByteBuffer) throws(WireError) {
        let span = body.readableBytesSpan
        var header = HeaderPieces()
        var status: Int32?
        var feedback: String?
        var reader = FieldReader(0..<span.byteCount, depth: 1)
        while try reader.next(in: span) {
            switch reader.key {
            case 1 << 3 | 2: try header.add(reader.content, of: body)
            case 2 << 3: status = Int32(truncatingIfNeeded: reader.varint)
            case 3 << 3 | 2: feedback = span.repairedText(reader.content)
            default: break
            }
        }
        guard let header = header.merged else { throw .missing("header", in: "TX_ACK") }
        guard let status else { throw .missing("status", in: "TX_ACK") }
        guard let feedback else { throw .missing("feedback", in: "TX_ACK") }
        self.init(header: header, status: status, feedback: feedback)
    }
}
