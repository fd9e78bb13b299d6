/// What the TOML library must not be given: it does not refuse it, but ends the process.
enum TOMLLines {
    /// The first line, from 1, that cannot be, and why; nil where there is none.
    ///
    /// That is a control character, of which TOML has only tabs and line breaks, and a `[` at a line's beginning with nothing
    /// behind it that a name may begin with. A list within a list could begin a line so; no option takes one.
    static func objection(to bytes: [UInt8]) -> (line: Int, why: String)? {
        // The library passes over it, and so over what is before a `[`.
        let bytes = bytes.starts(with: byteOrderMark) ? bytes[byteOrderMark.count...] : bytes[...]
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            var line = line
            if line.last == UInt8(ascii: "\r"), line.endIndex < bytes.endIndex { line.removeLast() }
            if line.contains(where: { $0 < 0x20 && $0 != UInt8(ascii: "\t") || $0 == 0x7F }) {
                return (index + 1, "a control character, which TOML does not have")
            }
            if !isHeader(line) { return (index + 1, "after [ comes the name of a section") }
        }
        return nil
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// True of a line that does not begin with `[`.
    private static func isHeader(_ line: ArraySlice<UInt8>) -> Bool {
        var rest = line.drop(while: isBlank)
        guard rest.popFirst() == UInt8(ascii: "[") else { return true }
        rest = rest.drop(while: isBlank)
        if rest.first == UInt8(ascii: "[") { rest = rest.dropFirst().drop(while: isBlank) }
        guard let first = rest.first else { return false }
        return first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") || first == UInt8(ascii: "]")
            || isOfName(first)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
