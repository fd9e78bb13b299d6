/// Reads a document of TOML 1.0.0, all of it.
///
/// Whatever the bytes are, it gives a table or an error, in time in proportion to them, and within ``mostLevels`` calls of itself. What TOML
/// allows and options do not, such as an empty name, is not its business.
struct TOMLParser: ~Copyable {
    /// No option needs more than four levels; each of them is a call within a call.
    static let mostLevels = 8

    private var scanner: TOMLScanner
    private let root = TOMLTable(.section, level: 1)

    static func table(of bytes: [UInt8]) throws(TOMLError) -> TOMLTable {
        var parser = TOMLParser(scanner: try TOMLScanner(bytes))
        try parser.readDocument()
        return parser.root
    }

    static func check(_ level: Int, _ offset: Int) throws(TOMLError) {
        guard level <= mostLevels else { throw TOMLError(reason: .tooDeep, offset: offset) }
    }

    private init(scanner: consuming TOMLScanner) { self.scanner = scanner }

    private mutating func readDocument() throws(TOMLError) {
        var section = root
        scanner.skipLines()
        while scanner.next != nil {
            if scanner.take("[") { section = try readHeader() } else { try readEntry(of: section) }
            try scanner.endLine()
            scanner.skipLines()
        }
    }

    /// Behind its `[`.
    private mutating func readHeader() throws(TOMLError) -> TOMLTable {
        let isOfMany = scanner.take("[")
        scanner.skipBlanks()
        let names = try scanner.names(orElse: .sectionMissing)
        guard scanner.take("]"), !isOfMany || scanner.take("]") else { throw scanner.error(.sectionOpen) }
        return isOfMany ? try root.nextSection(names) : try root.section(names)
    }

    private mutating func readEntry(of section: TOMLTable) throws(TOMLError) {
        let names = try scanner.names(orElse: .nameMissing)
        guard scanner.take("=") else { throw scanner.error(.equalsMissing) }
        scanner.skipBlanks()
        let (table, last) = try section.dotted(names)
        try table.add(last, try readValue(level: table.level + 1))
    }

    /// - Parameter level: its own, where it is a list or a table.
    private mutating func readValue(level: Int) throws(TOMLError) -> TOMLValue {
        switch scanner.next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): .text(try scanner.text())
        case UInt8(ascii: "["): .list(try readList(level: level))
        case UInt8(ascii: "{"): .table(try readBraces(level: level))
        default: try scanner.plainValue()
        }
    }

    private mutating func readList(level: Int) throws(TOMLError) -> [TOMLItem] {
        let start = scanner.offset
        try Self.check(level, start)
        _ = scanner.take("[")
        var items: [TOMLItem] = []
        while true {
            scanner.skipLines()
            if scanner.take("]") { return items }
            guard scanner.next != nil else { throw scanner.error(.listNotClosed, at: start) }
            items.append(TOMLItem(offset: scanner.offset, value: try readValue(level: level + 1)))
            scanner.skipLines()
            if scanner.take(",") { continue }
            if scanner.take("]") { return items }
            throw scanner.next == nil ? scanner.error(.listNotClosed, at: start) : scanner.error(.listOpen)
        }
    }

    private mutating func readBraces(level: Int) throws(TOMLError) -> TOMLTable {
        let start = scanner.offset
        let table = try TOMLTable.made(.braces, start, level)
        _ = scanner.take("{")
        scanner.skipBlanks()
        if scanner.take("}") { return table }
        while true {
            guard !scanner.isAtLineEnd else { throw scanner.error(.tableNotClosed, at: start) }
            try readEntry(of: table)
            scanner.skipBlanks()
            if scanner.take("}") { return table }
            guard scanner.take(",") else {
                throw scanner.isAtLineEnd ? scanner.error(.tableNotClosed, at: start) : scanner.error(.tableOpen)
            }
            scanner.skipBlanks()
            if scanner.next == UInt8(ascii: "}") { throw scanner.error(.commaBeforeBrace) }
        }
    }
}
