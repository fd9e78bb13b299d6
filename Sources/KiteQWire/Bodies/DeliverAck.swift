package import NIOCore

/// A consumer's answer to a delivery: what the broker needs of it.
///
/// All required fields are checked, but topic, message type and group are not kept: the group is the *producer's*, as the
/// header had it, so the delivery is found by connection and opaque.
package struct DeliverAck: Sendable, Hashable {
    /// The message id's text as bytes: valid UTF-8. A slice of the read.
    package let messageIDBytes: ByteBuffer
    /// False: the attempt failed.
    package let status: Bool
    /// What the consumer says about a failure; empty where it says nothing.
    package let feedback: String

    /// The message id's text; made anew at each call.
    package var messageID: String { String(buffer: messageIDBytes) }

    /// - Throws: ``WireError/Code/malformedBody``, ``WireError/Code/missingField`` or ``WireError/Code/invalidText``.
    package init(decoding body: ByteBuffer) throws(WireError) {
        let name: StaticString = "DELIVER_ACK"
        let span = body.readableBytesSpan
        var messageID: Range<Int>?
        var (topic, messageType, groupID) = (false, false, false)
        var status: Bool?
        var feedback = ""
        var reader = FieldReader(0..<span.byteCount, depth: 1)
        while try reader.next(in: span) {
            switch reader.key {
            case 1 << 3 | 2:
                try span.checkText(reader.content, "messageId", in: name)
                messageID = reader.content
            case 2 << 3 | 2:
                try span.checkText(reader.content, "topic", in: name)
                topic = true
            case 3 << 3 | 2:
                try span.checkText(reader.content, "messageType", in: name)
                messageType = true
            case 4 << 3 | 2:
                try span.checkText(reader.content, "groupId", in: name)
                groupID = true
            case 5 << 3: status = reader.varint != 0
            case 6 << 3 | 2: feedback = span.repairedText(reader.content)
            default: break
            }
        }
        guard let messageID else { throw .missing("messageId", in: name) }
        guard topic else { throw .missing("topic", in: name) }
        guard messageType else { throw .missing("messageType", in: name) }
        guard groupID else { throw .missing("groupId", in: name) }
        guard let status else { throw .missing("status", in: name) }
        self.messageIDBytes = body.slice(messageID)
        self.status = status
        self.feedback = feedback
    }
}
