import Foundation
import KiteQCore
import KiteQWire
import NIOCore

/// A message's properties and body, as the API shows them.
struct ContentAnswer: Encodable, Sendable {
    enum Encoding: String, Encodable, Sendable { case text, base64 }

    var properties: [String: String]
    var body: String
    var encoding: Encoding
    var isCut: Bool
    /// Of the whole body.
    var bodyBytes: Int

    /// Bytes that are shown of a body.
    static let limit = 64 << 10

    init(kind: Message.Kind, header: ByteBuffer, body: ByteBuffer, bodySize: Int) {
        properties = Self.properties(header)
        let shown = Array(body.readableBytesView.prefix(Self.limit))
        isCut = shown.count < bodySize
        bodyBytes = bodySize
        // A cut may be in the middle of a character.
        let text = kind == .string || Self.looksLikeText(shown) ? Self.text(shown, isCut: isCut) : nil
        encoding = text == nil ? .base64 : .text
        self.body = text ?? Data(shown).base64EncodedString()
    }

    /// A broker passes a header on as it came: where it cannot be read there are none to show.
    private static func properties(_ header: ByteBuffer) -> [String: String] {
        guard let header = try? ProtoHeader(decoding: header) else { return [:] }
        return Dictionary(header.properties.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
    }

    private static func text(_ bytes: [UInt8], isCut: Bool) -> String? {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        guard isCut else { return nil }
        for missing in 1...3 where bytes.count > missing {
            if let text = String(validating: bytes.dropLast(missing), as: UTF8.self) { return text }
        }
        return nil
    }

    /// Bytes messages often hold JSON, which a person would rather read.
    private static func looksLikeText(_ bytes: [UInt8]) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { $0 >= 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }
}
