/// The value of `traceparent` in W3C Trace Context: which trace a message belongs to, and which step of it sent the message.
///
/// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`: version, trace, parent, flags, in lowercase hexadecimal. Of a
/// version above 00 what follows the flags is not looked at, as the standard wants it; version ff is none.
package struct TraceParent: Sendable, Hashable {
    /// 32 digits, not all 0.
    package let traceID: String
    /// 16 digits, not all 0.
    package let parentID: String
    /// Whether the sender may have recorded the trace.
    package let isSampled: Bool

    /// Nil where the text is no traceparent.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let dash = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = Self.byte(bytes[0..<2]), version != 0xFF, let flags = Self.byte(bytes[53..<55]),
            version == 0 ? bytes.count == 55 : bytes.count == 55 || bytes[55] == dash,
            let trace = Self.identifier(bytes[3..<35]), let parent = Self.identifier(bytes[36..<52])
        else { return nil }
        traceID = trace
        parentID = parent
        isSampled = flags & 1 == 1
    }

    private static func identifier(_ digits: ArraySlice<UInt8>) -> String? {
        guard digits.allSatisfy({ digit($0) != nil }), digits.contains(where: { $0 != UInt8(ascii: "0") }) else {
            return nil
        }
        return String(decoding: digits, as: UTF8.self)
    }

    private static func byte(_ digits: ArraySlice<UInt8>) -> UInt8? {
        digits.reduce(UInt8?(0)) { value, character in
            guard let value, let digit = digit(character) else { return nil }
            return value << 4 | digit
        }
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
