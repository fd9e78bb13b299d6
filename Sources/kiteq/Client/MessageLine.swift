import KiteQCore

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

    /// `ID topic/type body`, a line whatever is in it: all of it is the producer's.
    var text: String {
        let properties = self.properties.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        return VisibleText.escaped(
            "\(id) \(topic)/\(messageType) \(shownBody)" + (properties.isEmpty ? "" : "  {\(properties)}"))
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
}
