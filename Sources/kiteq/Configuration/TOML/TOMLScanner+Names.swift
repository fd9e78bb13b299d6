import KiteQCore

extension TOMLScanner {
    /// A name, of several parts where there are dots.
    ///
    /// - Parameter missing: what is said where none comes next.
    mutating func names(orElse missing: TOMLError.Reason) throws(TOMLError) -> [TOMLName] {
        var names = [try name(orElse: missing)]
        skipBlanks()
        while take(".") {
            skipBlanks()
            names.append(try name(orElse: .nameMissing))
            skipBlanks()
        }
        return names
    }

    private mutating func name(orElse missing: TOMLError.Reason) throws(TOMLError) -> TOMLName {
        let start = offset
        if let quote = next, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            guard !beginsLongText else { throw error(.nameInThree) }
            return TOMLName(name: BindingName(try text()), offset: start)
        }
        let word = run(of: Self.isOfName)
        guard !word.isEmpty else { throw error(missing) }
        return TOMLName(name: BindingName(String(decoding: word, as: UTF8.self)), offset: start)
    }

    /// Goes on as long as the bytes are such.
    mutating func run(of isMember: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = offset
        while let byte = next, isMember(byte) { offset += 1 }
        return bytes[start..<offset]
    }

    static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
