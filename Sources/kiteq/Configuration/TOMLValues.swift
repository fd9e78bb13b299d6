/// Values that the TOML library must not be given: it does not refuse them, but ends the process.
enum TOMLValues {
    /// What is being read, and by which quotes it ends.
    private enum State { case plain, comment, text(quote: UInt8, isLong: Bool) }

    /// The first line, from 1, on which a value cannot be, and why; nil where there is none.
    ///
    /// It is missing behind `=`, unless the line ends there, or before `}` behind `[` or a comma; or it is a date, then a `T` or a blank and a
    /// digit, and then no time. (Within braces a name that looks like that is taken for such a value. Nobody has one.)
    static func objection(to bytes: [UInt8]) -> (line: Int, why: String)? {
        var (state, line, index) = (State.plain, 1, 0)
        /// The last byte that means something.
        var last = UInt8(ascii: "\n")
        /// Of the line: it begins with `[`, and what comes is no value but a section's name.
        var isHeader = false
        let missing = "a value is missing"
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") {
                line += 1
                isHeader = false
            }
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
                if last == UInt8(ascii: "="), "]},#".utf8.contains(byte) { return (line, missing) }
                if byte == UInt8(ascii: "}"), last == UInt8(ascii: "[") || last == UInt8(ascii: ",") {
                    return (line, missing)
                }
                if !isHeader, "=[,".utf8.contains(last), isDateWithoutTime(bytes[index...]) {
                    return (line, "a date goes on, and not with a time")
                }
                if byte == UInt8(ascii: "["), isFirst(index, bytes) { isHeader = true }
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

    /// Whether this begins as 2030-01-31T does, and goes on with something that is no digit; or as 2030-01-31 does, and goes on with a
    /// blank and one digit alone.
    private static func isDateWithoutTime(_ bytes: ArraySlice<UInt8>) -> Bool {
        isDateAndT(bytes) || isDateAndDigit(bytes)
    }

    /// To the library whatever has the hyphens of a date may be one, and underscores count for nothing.
    private static func isDateAndDigit(_ bytes: ArraySlice<UInt8>) -> Bool {
        // The library looks no further ahead, and a list of numbers without blanks may be as long as the file.
        let word = bytes.prefix(128).prefix { $0 > UInt8(ascii: " ") }
        let rest = bytes[word.endIndex...]
        let date = word.filter { $0 != UInt8(ascii: "_") }
        guard word.first.map(isDigit) == true, date.count == 10, date[4] == UInt8(ascii: "-"),
            date[7] == UInt8(ascii: "-"), rest.count >= 2, rest.first == UInt8(ascii: " "),
            isDigit(rest[rest.startIndex + 1])
        else { return false }
        let next = rest.dropFirst(2).first
        return !(next.map { isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ":") } ?? false)
    }

    private static func isDateAndT(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count > dateAndT.count else { return false }
        for (byte, wanted) in zip(bytes, dateAndT) {
            switch wanted {
            case UInt8(ascii: "0"): if !isDigit(byte) { return false }
            case UInt8(ascii: "T"): if byte | 0x20 != UInt8(ascii: "t") { return false }
            default: if byte != wanted { return false }
            }
        }
        return !isDigit(bytes[bytes.startIndex + dateAndT.count])
    }

    private static let dateAndT = Array("0000-00-00T".utf8)

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Whether nothing but blanks, or a byte order mark, is before it on its line.
    private static func isFirst(_ index: Int, _ bytes: [UInt8]) -> Bool {
        for byte in bytes[..<index].reversed() {
            if byte == UInt8(ascii: "\n") { return true }
            if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t"), byte < 0x80 { return false }
        }
        return true
    }

    private static func isThree(_ quote: UInt8, _ bytes: [UInt8], _ index: Int) -> Bool {
        index + 2 < bytes.count && bytes[index] == quote && bytes[index + 1] == quote && bytes[index + 2] == quote
    }
}
