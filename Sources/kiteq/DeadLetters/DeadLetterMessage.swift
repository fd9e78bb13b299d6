import KiteQCore
import KiteQWire
import NIOCore

/// The message of a dead letter, decoded for people.
struct DeadLetterMessage {
    /// Nil where the bytes are no header: then ``headerBytes`` is all there is to show.
    var header: ProtoHeader?
    var headerBytes: [UInt8]
    var body: MessageLine.Body
    /// Bytes of fields that this version does not know.
    var extraLength: Int

    init(_ letter: DeadLetter, _ content: DeadLetter.Content) {
        headerBytes = Array(content.header.readableBytesView)
        do {
            header = try ProtoHeader(decoding: content.header)
        } catch {
            // The broker took it from a producer and passes it on unread; a person still wants to see the rest.
            header = nil
        }
        let bytes = Array(content.body.readableBytesView)
        body =
            if letter.kind == .string, let text = String(validating: bytes, as: UTF8.self) { .text(text) } else {
                .bytes(bytes)
            }
        extraLength = content.extra?.readableBytes ?? 0
    }

    /// For a terminal: a line for each field, then the body.
    func text(_ letter: DeadLetter) -> String {
        var lines = [("dead letter", letter.id.description)]
        lines.append(("message id", letter.messageID.description))
        lines.append(("seq", "\(letter.seq)"))
        lines.append(("topic", letter.topic))
        lines.append(("type", letter.messageType))
        lines.append(("group", letter.group.isEmpty ? "- (not committed: owed to nobody yet)" : letter.group))
        lines.append(("reason", reason(letter)))
        if let error = letter.lastError { lines.append(("last error", error)) }
        lines.append(("died", LogTime(milliseconds: letter.diedAt).description))
        lines.append(("published", "\(LogTime(milliseconds: letter.publishedAt)) by \(letter.publisherGroup)"))
        lines.append(("expiry", LogTime(milliseconds: letter.expiresAt).description))
        if let header {
            lines.append(
                (
                    "header",
                    "createTime \(header.createTime), expiredTime \(header.expiredTime), commit \(header.commit), fly \(header.fly), snappy \(header.snappy)"
                ))
            for property in header.properties { lines.append(("property", "\(property.key) = \(property.value)")) }
        } else {
            lines.append(("header", "not readable: 0x\(MessageLine.hex(headerBytes))"))
        }
        if extraLength > 0 { lines.append(("other", "\(extraLength) bytes of fields that this version does not know")) }
        let (kind, size, shown) =
            switch body {
            case .text(let text): ("text", text.utf8.count, MessageLine.visible(text))
            case .bytes(let bytes): ("bytes", bytes.count, "0x\(MessageLine.hex(bytes))")
            }
        lines.append(("body", "\(kind), \(size) bytes"))
        return lines.map { name, value in
            name + String(repeating: " ", count: 13 - name.count) + MessageLine.visible(value) + "\n"
        }.joined() + shown
    }

    private func reason(_ letter: DeadLetter) -> String {
        switch letter.reason {
        case .attemptsUsedUp: "attempts used up (\(letter.attempts) of \(letter.deliverLimit))"
        case .expired: "expired after \(letter.attempts) attempts"
        case .undecided: "undecided: its producer did not answer \(letter.attempts) questions"
        }
    }
}
