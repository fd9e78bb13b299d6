extension TOMLScanner {
    /// Three quotes come next: a text that may have several lines.
    var beginsLongText: Bool { peek(1) == next && peek(2) == next }

    /// The text whose quote comes next. Line breaks in it are line feeds, whatever the file has.
    mutating func text() throws(TOMLError) -> String {
        let (start, quote, isLong) = (offset, bytes[offset], beginsLongText)
        offset += isLong ? 3 : 1
        if isLong { _ = takeLineBreak() }
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case quote:
                if takeClosingQuotes(isLong, into: &text) { return String(decoding: text, as: UTF8.self) }
            case UInt8(ascii: "\\") where quote == UInt8(ascii: "\""):
                try takeEscape(isLong, into: &text)
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                guard isLong else { throw error(.textNotClosed, at: start) }
                _ = takeLineBreak()
                text.append(UInt8(ascii: "\n"))
            default:
                text.append(byte)
                offset += 1
            }
        }
        throw error(.textNotClosed, at: start)
    }

    /// Quotes come next. Of a long text three close it; one or two, before these too, belong to it.
    private mutating func takeClosingQuotes(_ isLong: Bool, into text: inout [UInt8]) -> Bool {
        let quote = bytes[offset]
        var count = 1
        while isLong, count < 5, peek(count) == quote { count += 1 }
        offset += count
        let isClosed = !isLong || count >= 3
        let closing = isLong ? 3 : 1
        text += repeatElement(quote, count: isClosed ? count - closing : count)
        return isClosed
    }

    /// A `\` comes next.
    private mutating func takeEscape(_ isLong: Bool, into text: inout [UInt8]) throws(TOMLError) {
        let start = offset
        offset += 1
        if isLong, takeContinuation() { return }
        guard let byte = next else { throw error(.escape, at: start) }
        offset += 1
        switch byte {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
        case UInt8(ascii: "u"): text += String(try takeScalar(digits: 4, start)).utf8
        case UInt8(ascii: "U"): text += String(try takeScalar(digits: 8, start)).utf8
        default: throw error(.escape, at: start)
        }
    }

    private mutating func takeScalar(digits: Int, _ start: Int) throws(TOMLError) -> Unicode.Scalar {
        var number: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = next.flatMap(TOMLNumber.digit), digit < 16 else { throw error(.escapeDigits, at: start) }
            number = number << 4 | UInt32(digit)
            offset += 1
        }
        guard let scalar = Unicode.Scalar(number) else { throw error(.noCharacter, at: start) }
        return scalar
    }

    /// Where nothing but blanks is before the line's end, goes on to what is no blank and no line break.
    private mutating func takeContinuation() -> Bool {
        let start = offset
        skipBlanks()
        guard takeLineBreak() else {
            offset = start
            return false
        }
        repeat { skipBlanks() } while takeLineBreak()
        return true
    }
}
