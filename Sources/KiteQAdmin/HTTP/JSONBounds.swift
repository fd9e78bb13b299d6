import HTTPTypes
import NIOCore

/// Counts what a JSON text is made of, before it is parsed: each value costs the parser many times the bytes that it has in the text.
///
/// Whether it is JSON at all the parser says; here every comma and bracket outside of a string counts.
enum JSONBounds {
    /// Values of a body, unless it says otherwise.
    static let values = 20_000
    /// 1,000 messages with 100 properties each.
    static let publishValues = 100_000
    static let depth = 16

    /// - Throws: ``Problem`` where there are more values, or they are nested deeper.
    static func check(_ text: ByteBuffer, values most: Int) throws(Problem) {
        // The bytes in place: a text of some megabytes is not looked at one by one through a collection.
        switch text.withUnsafeReadableBytes({ excess(in: $0, values: most) }) {
        case .values: throw Problem(.contentTooLarge, "the body has more than \(most) values")
        case .depth: throw Problem(.badRequest, "the body is nested deeper than \(depth) levels")
        case nil: return
        }
    }

    private enum Excess { case values, depth }

    private static func excess(in bytes: UnsafeRawBufferPointer, values most: Int) -> Excess? {
        var (values, level) = (1, 0)
        var isString = false
        var isEscaped = false
        for byte in bytes {
            if isString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isString = true
            case UInt8(ascii: ","): values += 1
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                values += 1
                level += 1
                if level > depth { return .depth }
            case UInt8(ascii: "]"), UInt8(ascii: "}"): level -= 1
            default: break
            }
            if values > most { return .values }
        }
        return nil
    }
}
