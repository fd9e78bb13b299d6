/// A consumed message, as `kiteq consume` prints it.
struct MessageLine: Sendable, Hashable {
    enum Body: Sendable, Hashable {
        case text(String)
        case bytes([UInt8])
    }

    var id: String
    var topic: String
    var messageType: String
    /// The publishing group.
    var group: String
    /// Unix seconds.
    var created: Int64
    var properties: [(key: String, value: String)]
    var body: Body

    static func == (a: MessageLine, b: MessageLine) -> Bool { a.json == b.json }
    func hash(into hasher: inout Hasher) { hasher.combine(json) }

    /// `ID topic/type body`; a line break in the body is `\n`, so that a message is a line.
    var text: String {
        "\(id) \(topic)/\(messageType) \(Self.visible(shownBody))"
            + (properties.isEmpty
                ? "" : "  {\(properties.map { "\($0.key)=\(Self.visible($0.value))" }.joined(separator: ", "))}")
    }

    /// One object; the body is `body` where it is text, else `bodyHex`.
    var json: String {
        let properties = self.properties.map { "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))" }
        let body =
            switch self.body {
            case .text(let text): "\"body\":\(JSONText.quoted(text))"
            case .bytes(let bytes): "\"bodyHex\":\"\(Self.hex(bytes))\""
            }
        return "{\"messageId\":\(JSONText.quoted(id)),\"topic\":\(JSONText.quoted(topic)),"
            + "\"messageType\":\(JSONText.quoted(messageType)),\"groupId\":\(JSONText.quoted(group)),"
            + "\"createTime\":\(created),\"properties\":{\(properties.joined(separator: ","))},\(body)}"
    }

    private var shownBody: String {
        switch body {
        case .text(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self) ?? "0x\(Self.hex(bytes))"
        }
    }

    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return bytes.reduce(into: "") { text, byte in
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }

    /// What moves a terminal's cursor is escaped: the body is the producer's.
    static func visible(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case _ where scalar.value < 0x20 && scalar != "\t" || (0x7F...0x9F).contains(scalar.value):
                result += "\\x\(String(scalar.value, radix: 16))"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
