/// Dates and times as TOML writes them. No option takes a time: they are looked at, and kept as they stand.
struct TOMLDate {
    private var rest: ArraySlice<UInt8>

    private init(_ text: ArraySlice<UInt8>) { rest = text }

    /// Whether this begins as a date or a time, and is no number.
    static func begins(_ word: ArraySlice<UInt8>) -> Bool { isDate(word) || isDigits(word, 2, then: ":") }

    /// Whether it is a date that a time may follow behind a blank.
    static func isDateAlone(_ word: ArraySlice<UInt8>) -> Bool { word.count == 10 && isDate(word) }

    /// Why it cannot be; nil where it can.
    static func objection(to text: ArraySlice<UInt8>) -> TOMLError.Reason? {
        var date = TOMLDate(text)
        return isDate(text) ? date.readDate() : date.readTime(isOfDate: false)
    }

    private static func isDate(_ word: ArraySlice<UInt8>) -> Bool { isDigits(word, 4, then: "-") }

    private static func isDigits(_ word: ArraySlice<UInt8>, _ count: Int, then byte: Unicode.Scalar) -> Bool {
        word.prefix(count + 1).count == count + 1 && word.prefix(count).allSatisfy(TOMLNumber.isDecimal)
            && word[word.startIndex + count] == UInt8(ascii: byte)
    }

    private mutating func readDate() -> TOMLError.Reason? {
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2) else {
            return .dateForm
        }
        guard (1...12).contains(month), (1...Self.days(of: month, in: year)).contains(day) else { return .noDay }
        if rest.isEmpty { return nil }
        guard take("T") || take("t") || take(" ") else { return .dateForm }
        return Self.isDigits(rest, 2, then: ":") ? readTime(isOfDate: true) : .timeMissing
    }

    private mutating func readTime(isOfDate: Bool) -> TOMLError.Reason? {
        guard let hour = number(2), take(":"), let minute = number(2), take(":"), let second = number(2) else {
            return .timeForm
        }
        // A minute has 61 seconds now and then.
        guard hour < 24, minute < 60, second <= 60 else { return .noTime }
        if take(".") {
            let fraction = rest.prefix(while: TOMLNumber.isDecimal)
            guard !fraction.isEmpty else { return .timeForm }
            rest = rest[fraction.endIndex...]
        }
        return isOfDate && !rest.isEmpty ? readZone() : rest.isEmpty ? nil : .timeForm
    }

    private mutating func readZone() -> TOMLError.Reason? {
        if take("Z") || take("z") { return rest.isEmpty ? nil : .timeForm }
        guard take("+") || take("-"), let hours = number(2), take(":"), let minutes = number(2), rest.isEmpty else {
            return .timeForm
        }
        return hours < 24 && minutes < 60 ? nil : .noTime
    }

    private mutating func number(_ count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy(TOMLNumber.isDecimal) else { return nil }
        rest.removeFirst(count)
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: byte) else { return false }
        rest.removeFirst()
        return true
    }

    private static func days(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
