extension RawSpan {
    /// The text of a field, or an error that names it where it is not UTF-8.
    func text(
        _ range: Range<Int>, _ field: StaticString, in message: StaticString
    ) throws(WireError) -> String {
        let bytes = extracting(range)
        if isASCII(range) {
            // Names mostly are, and this is several times faster than the initialiser that validates.
            return bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
        guard let text = bytes.withUnsafeBytes({ String(validating: $0, as: UTF8.self) }) else {
            throw .invalidText(field, in: message)
        }
        return text
    }

    /// Makes sure that a text which nobody reads now is UTF-8. Allocates nothing where it is ASCII, as ids and names are.
    func checkText(
        _ range: Range<Int>, _ field: StaticString, in message: StaticString
    ) throws(WireError) {
        if !isASCII(range) {
            _ = try text(range, field, in: message)
        }
    }

    /// A text for people: what is not UTF-8 is shown as U+FFFD, since it is no reason to end a connection.
    func repairedText(_ range: Range<Int>) -> String {
        extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    private func isASCII(_ range: Range<Int>) -> Bool {
        var offset = range.lowerBound
        var seen: UInt64 = 0
        while offset &+ 8 <= range.upperBound {
            seen |= unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
        while offset < range.upperBound {
            seen |= UInt64(unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            offset &+= 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }
}
