/// Where a value is missing in TOML. The library that reads it ends the process there, instead of refusing it.
enum TOMLValues {
    /// What is being read, and by which quotes it ends.
    private enum State { case plain, comment, text(quote: UInt8, isLong: Bool) }

    /// The first line, from 1, on which a value is missing: behind `=`, unless the line ends there, or before `}` behind `[` or a comma. Nil where there is none.
    static func missing(in bytes: [UInt8]) -> Int? {
        var (state, line, index) = (State.plain, 1, 0)
        /// The last byte that means something.
        var last = UInt8(ascii: "\n")
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") { line += 1 }
            switch state {
            case .comment:
                if byte == UInt8(ascii: "\n") { state = .plain }
            case .text(let quote, let isLong):
                if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                    index += 1
                    if index < bytes.count, bytes[index] == UInt8(ascii: "\n") { line += 1 }
                } else if byte == quote, !isLong {
                    state = .plain
                } else if isLong, isThree(quote, bytes, index) {
                    index += 2
                    // Up to two more belong to the text.
                    while index + 1 < bytes.count, bytes[index + 1] == quote { index += 1 }
                    state = .plain
                } else if byte == UInt8(ascii: "\n"), !isLong {
                    state = .plain  // It is not closed: the library says so.
                }
            case .plain:
                if last == UInt8(ascii: "="), "]},#".utf8.contains(byte) { return line }
                if byte == UInt8(ascii: "}"), last == UInt8(ascii: "[") || last == UInt8(ascii: ",") { return line }
                if byte == UInt8(ascii: "#") {
                    state = .comment
                } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                    let isLong = isThree(byte, bytes, index)
                    if isLong { index += 2 }
                    state = .text(quote: byte, isLong: isLong)
                    last = byte
                } else if !" \t\r\n".utf8.contains(byte) {
                    last = byte
                }
            }
            index += 1
        }
        return nil
    }

    private static func isThree(_ quote: UInt8, _ bytes: [UInt8], _ index: Int) -> Bool {
        index + 2 < bytes.count && bytes[index] == quote && bytes[index + 1] == quote && bytes[index + 2] == quote
    }
}
