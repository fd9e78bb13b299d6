package import NIOCore

/// A message's header, read only as far as the broker needs it; the bytes stay as they came.
///
/// Accepts what the generated `ProtoHeader` accepts and has the same values: required fields are there, texts are UTF-8,
/// properties are well-formed. Properties, snappy and unknown fields are checked for form and else left alone.
/// Whether the values make sense (an id of 32 hex digits, lengths of names) is not judged here.
package struct MessageHeaderView: Sendable {
    /// The header as the producer sent it. A slice of the read: copy it where it outlives the read.
    package let bytes: ByteBuffer
    /// Where the message id's text is, as offsets into the readable ``bytes``.
    package let messageIDRange: Range<Int>
    package let topic: String
    package let messageType: String
    /// The publishing group.
    package let groupID: String
    /// Unix seconds as sent, the meaning of 0 and below included (docs/protocol.md#the-header).
    package let expiredTime: Int64
    /// Attempts as sent, the meaning of 0 and below included.
    package let deliverLimit: Int32
    /// False is a half message.
    package let commit: Bool
    package let fly: Bool
    /// Unix seconds as sent; the older clients have no such field.
    package let createTime: Int64?
    package let propertyCount: Int

    /// The message id's text. Made anew at each call; ``withMessageID(_:)`` costs nothing.
    package var messageID: String { withMessageID { String(decoding: $0, as: UTF8.self) } }

    /// The message id's text as bytes, which are valid UTF-8, for as long as the call takes.
    package func withMessageID<Result>(_ use: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeReadableBytes { use(UnsafeRawBufferPointer(rebasing: $0[messageIDRange])) }
    }

    /// Reads a header.
    /// - Throws: ``WireError/Code/malformedBody``, ``WireError/Code/missingField`` or ``WireError/Code/invalidText``.
    package init(decoding header: ByteBuffer) throws(WireError) {
        let span = header.readableBytesSpan
        var messageID: Range<Int>?
        var (topic, messageType, groupID): (String?, String?, String?)
        var (expiredTime, createTime): (Int64?, Int64?)
        var deliverLimit: Int32?
        var (commit, fly): (Bool?, Bool?)
        var propertyCount = 0
        var reader = FieldReader(0..<span.byteCount, depth: 2)
        while try reader.next(in: span) {
            switch reader.key {
            case Field.messageID:
                try span.checkText(reader.content, "messageId", in: Self.name)
                messageID = reader.content
            case Field.topic: topic = try span.text(reader.content, "topic", in: Self.name)
            case Field.messageType: messageType = try span.text(reader.content, "messageType", in: Self.name)
            case Field.expiredTime: expiredTime = Int64(bitPattern: reader.varint)
            case Field.deliverLimit: deliverLimit = Int32(truncatingIfNeeded: reader.varint)
            case Field.groupID: groupID = try span.text(reader.content, "groupId", in: Self.name)
            case Field.commit: commit = reader.varint != 0
            case Field.fly: fly = reader.varint != 0
            case Field.property:
                try Self.checkProperty(span, reader.content)
                propertyCount += 1
            case Field.createTime: createTime = Int64(bitPattern: reader.varint)
            default: break
            }
        }
        guard let messageID else { throw .missing("messageId", in: Self.name) }
        guard let topic else { throw .missing("topic", in: Self.name) }
        guard let messageType else { throw .missing("messageType", in: Self.name) }
        guard let expiredTime else { throw .missing("expiredTime", in: Self.name) }
        guard let deliverLimit else { throw .missing("deliverLimit", in: Self.name) }
        guard let groupID else { throw .missing("groupId", in: Self.name) }
        guard let commit else { throw .missing("commit", in: Self.name) }
        guard let fly else { throw .missing("fly", in: Self.name) }
        self.bytes = header
        self.messageIDRange = messageID
        self.topic = topic
        self.messageType = messageType
        self.groupID = groupID
        self.expiredTime = expiredTime
        self.deliverLimit = deliverLimit
        self.commit = commit
        self.fly = fly
        self.createTime = createTime
        self.propertyCount = propertyCount
    }

    private static let name: StaticString = "The message's header"

    private static func checkProperty(_ span: RawSpan, _ range: Range<Int>) throws(WireError) {
        var (hasKey, hasValue) = (false, false)
        var reader = FieldReader(range, depth: 3)
        while try reader.next(in: span) {
            switch reader.key {
            case 1 << 3 | 2:
                try span.checkText(reader.content, "key", in: "A property")
                hasKey = true
            case 2 << 3 | 2:
                try span.checkText(reader.content, "value", in: "A property")
                hasValue = true
            default: break
            }
        }
        guard hasKey else { throw .missing("key", in: "A property") }
        guard hasValue else { throw .missing("value", in: "A property") }
    }

    /// Numbers and wire types of the header's fields.
    enum Field {
        static let messageID = 1 << 3 | 2
        static let topic = 2 << 3 | 2
        static let messageType = 3 << 3 | 2
        static let expiredTime = 4 << 3
        static let deliverLimit = 5 << 3
        static let groupID = 6 << 3 | 2
        static let commit = 7 << 3
        static let fly = 8 << 3
        static let property = 9 << 3 | 2
        static let createTime = 10 << 3
    }
}
