package import NIOCore

/// The server's answer to a published message.
package struct StoreAck: Sendable, Hashable {
    package var messageID: String
    /// True: accepted, and stored unless the feedback says that it need not be (fly).
    package var status: Bool
    /// For people.
    package var feedback: String

    /// What the feedback of a refusal begins with where the message may be stored all the same: the store did not say whether a
    /// try was committed. Of this broker alone; to other clients it is one more reason in words.
    package static let outcomeUnknown = "it is not known whether the message is stored: "

    package init(messageID: String, status: Bool, feedback: String) {
        self.messageID = messageID
        self.status = status
        self.feedback = feedback
    }

    /// - Throws: ``WireError/Code/malformedBody``, ``WireError/Code/missingField`` or ``WireError/Code/invalidText``.
    package init(decoding body: ByteBuffer) throws(WireError) {
        let span = body.readableBytesSpan
        var (messageID, feedback): (String?, String?)
        var status: Bool?
        var reader = FieldReader(0..<span.byteCount, depth: 1)
        while try reader.next(in: span) {
            switch reader.key {
            case 1 << 3 | 2: messageID = try span.text(reader.content, "messageId", in: "MESSAGE_STORE_ACK")
            case 2 << 3: status = reader.varint != 0
            case 3 << 3 | 2: feedback = span.repairedText(reader.content)
            default: break
            }
        }
        guard let messageID else { throw .missing("messageId", in: "MESSAGE_STORE_ACK") }
        guard let status else { throw .missing("status", in: "MESSAGE_STORE_ACK") }
        guard let feedback else { throw .missing("feedback", in: "MESSAGE_STORE_ACK") }
        self.init(messageID: messageID, status: status, feedback: feedback)
    }
}
