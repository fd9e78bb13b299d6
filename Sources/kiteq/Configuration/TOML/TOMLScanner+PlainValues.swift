extension TOMLScanner {
    /// A value that begins with no quote or bracket: true, false, a number, a date or a time.
    mutating func plainValue() throws(TOMLError) -> TOMLValue {
        let start = offset
        let word = run(of: Self.isOfPlainValue)
        if word.elementsEqual("true".utf8) { return .flag(true) }
        if word.elementsEqual("false".utf8) { return .flag(false) }
        if word.isEmpty { throw error(isAtValuesEnd ? .valueMissing : .noValue) }
        if TOMLDate.begins(word) { return try date(word) }
        guard TOMLNumber.begins(word) else { throw error(.noValue, at: start) }
        do {
            return try TOMLNumber.value(of: word)
        } catch {
            throw TOMLError(reason: error, offset: start)
        }
    }

    /// Of a date the time may stand behind a blank.
    private mutating func date(_ word: ArraySlice<UInt8>) throws(TOMLError) -> TOMLValue {
        if TOMLDate.isDateAlone(word), next == UInt8(ascii: " "), peek(1).map(TOMLNumber.isDecimal) == true {
            offset += 1
            _ = run(of: Self.isOfPlainValue)
        }
        let text = bytes[word.startIndex..<offset]
        if let reason = TOMLDate.objection(to: text) { throw error(reason, at: word.startIndex) }
        return .date(String(decoding: text, as: UTF8.self))
    }

    private static func isOfPlainValue(_ byte: UInt8) -> Bool {
        isOfName(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }

    /// What comes next stands behind a value.
    private var isAtValuesEnd: Bool { isAtLineEnd || next.map(",]}#=".utf8.contains) == true }
}
