/// Why bytes are no TOML, or none that is taken here, and where.
///
/// It has nothing of the text: the file may be one of secrets.
struct TOMLError: Error, Hashable {
    let reason: Reason
    /// The byte, from 0.
    let offset: Int
    /// The byte where that stands which it contradicts.
    var first: Int?

    enum Reason: String, Error {
        case notUTF8 = "this is no UTF-8 text"
        case controlCharacter =
            "a control character, which TOML does not have; in a text it is written as \\u and 4 digits"

        case sectionMissing = "after [ comes the name of a section"
        case sectionOpen = "the name of a section ends with ], and that of one of many with ]]"
        case nameMissing = "here comes a name, of A-Z, a-z, 0-9, _ and -, or in quotes"
        case nameInThree = "a name does not stand in three quotes"
        case equalsMissing =
            "after a name comes =, and one with other characters than A-Z, a-z, 0-9, _ and - stands in quotes"
        case lineGoesOn = "here comes the end of the line, or a comment"

        case valueMissing = "a value is missing"
        case noValue = "this is no value: a text stands in quotes"
        case listOpen = "in a list a comma or ] comes after a value"
        case listNotClosed = "a list is not closed by ]"
        case tableOpen = "within braces a comma or } comes after a value"
        case tableNotClosed = "a table within braces ends on the line that it begins on, with }"
        case commaBeforeBrace = "before } stands no comma"
        case textNotClosed = "a text is not closed by the quotes that it begins with"
        case escape =
            "after \\ comes one of b, t, n, f, r, u, U, \" and \\; a text that has \\ in it may stand in single quotes"
        case escapeDigits = "after \\u come 4 hexadecimal digits, and after \\U 8"
        case noCharacter = "Unicode has no character of this number"

        case numberForm = "this is no number: one is written as 12, -1_000, 0xFF, 1.5 or 1e6"
        case underscore = "in a number _ stands between two digits"
        case leadingZero = "a number does not begin with 0, but for 0x, 0o and 0b"
        case tooLarge = "a whole number has at most 64 bits, with its sign"
        case dateForm = "a date is written as 2030-01-31"
        case timeForm = "a time is written as 07:32:00, and after a date Z or +01:00 may follow it"
        case timeMissing = "a date goes on, and not with a time"
        case noDay = "there is no such day"
        case noTime = "there is no such time of a day"

        case taken = "this name is there already"
        case closed = "nothing can be added to a list in brackets, a table within braces, or a value"
        case tooDeep = "tables and lists have at most 8 levels"

        case emptyName = "a name is empty"
        case longName = "a name has at most 1024 bytes"
        case twoSpellings = "this name is there already, in another spelling of Unicode"
        case nul = "no text may hold the character NUL (\\u0000)"
    }
}

extension TOMLError {
    /// One short line: where it is, then what is wrong, or what is expected.
    ///
    /// - Parameter bytes: what was read.
    func sentence(of bytes: [UInt8]) -> String {
        let (line, column) = Self.place(of: offset, in: bytes)
        let earlier = first.map { ", on line \(Self.place(of: $0, in: bytes).line)" } ?? ""
        return "line \(line), column \(column): \(reason.rawValue)\(earlier)"
    }

    /// Both from 1; a column is a Unicode scalar.
    private static func place(of offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        let before = bytes.prefix(offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? TOMLScanner.textStart(of: bytes)
        return (line, before[min(start, offset)...].count { $0 & 0xC0 != 0x80 } + 1)
    }
}
