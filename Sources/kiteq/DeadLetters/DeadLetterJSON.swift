import KiteQCore
import KiteQWire

/// A dead letter as a JSON object in one line. Times are Unix milliseconds, as in the tables.
struct DeadLetterJSON {
    private var fields: [String]

    init(_ letter: DeadLetter) {
        fields = []
        add("id", letter.id.description)
        add("messageId", letter.messageID.description)
        addRaw("seq", "\(letter.seq)")
        add("group", letter.group)
        add("topic", letter.topic)
        add("messageType", letter.messageType)
        add("reason", letter.reason.name)
        addRaw("attempts", "\(letter.attempts)")
        addRaw("deliverLimit", "\(letter.deliverLimit)")
        addRaw("lastError", letter.lastError.map(JSONText.quoted) ?? "null")
        addRaw("diedAt", "\(letter.diedAt)")
        addRaw("publishedAt", "\(letter.publishedAt)")
        addRaw("expiresAt", "\(letter.expiresAt)")
        add("publisherGroup", letter.publisherGroup)
    }

    /// With the message itself.
    init(_ letter: DeadLetter, _ message: DeadLetterMessage) {
        self.init(letter)
        if let header = message.header {
            addRaw(
                "header",
                "{\"createTime\":\(header.createTime),\"expiredTime\":\(header.expiredTime),\"commit\":\(header.commit),"
                    + "\"fly\":\(header.fly),\"snappy\":\(header.snappy)}")
            let properties = header.properties.map { "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))" }
            addRaw("properties", "{\(properties.joined(separator: ","))}")
        } else {
            add("headerHex", MessageLine.hex(message.headerBytes))
        }
        switch message.body {
        case .text(let text): add("body", text)
        case .bytes(let bytes): add("bodyHex", MessageLine.hex(bytes))
        }
    }

    var line: String { "{\(fields.joined(separator: ","))}" }

    private mutating func add(_ name: String, _ text: String) { addRaw(name, JSONText.quoted(text)) }
    private mutating func addRaw(_ name: String, _ value: String) { fields.append("\"\(name)\":\(value)") }
}
