/// Numbers as TOML writes them.
enum TOMLNumber {
    /// Whether this is meant for a number, and for no text without quotes.
    static func begins(_ word: ArraySlice<UInt8>) -> Bool {
        guard let first = word.first else { return false }
        return isDecimal(first) || first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
            || word.elementsEqual("inf".utf8) || word.elementsEqual("nan".utf8)
    }

    /// - Parameter word: all that stands there without a blank.
    static func value(of word: ArraySlice<UInt8>) throws(TOMLError.Reason) -> TOMLValue {
        if word.first == UInt8(ascii: "0"), let base = word.dropFirst().first.flatMap(base) {
            var rest = word.dropFirst(2)
            let digits = try digits(&rest) { digit($0).map { $0 < base } ?? false }
            guard rest.isEmpty else { throw .numberForm }
            return .integer(try integer(digits, base: base, isNegative: false))
        }
        var rest = word
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        if rest.elementsEqual("inf".utf8) { return .float(isNegative ? -.infinity : .infinity) }
        if rest.elementsEqual("nan".utf8) { return .float(.nan) }
        let whole = try digits(&rest, where: isDecimal)
        if whole.count > 1, whole.first == UInt8(ascii: "0") { throw .leadingZero }
        if rest.isEmpty { return .integer(try integer(whole, base: 10, isNegative: isNegative)) }
        return .float(try float(isNegative, whole, &rest))
    }

    /// Its value in whatever base has it, up to 16.
    static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    static func isDecimal(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func base(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "x"): 16
        case UInt8(ascii: "o"): 8
        case UInt8(ascii: "b"): 2
        default: nil
        }
    }

    /// Digits, one at least, without the underscores between them.
    private static func digits(
        _ rest: inout ArraySlice<UInt8>, where isDigit: (UInt8) -> Bool
    ) throws(TOMLError.Reason) -> [UInt8] {
        var digits: [UInt8] = []
        var last: UInt8?
        while let byte = rest.first {
            if byte == UInt8(ascii: "_") {
                guard let last, last != byte else { throw .underscore }
            } else if isDigit(byte) {
                digits.append(byte)
            } else {
                break
            }
            last = byte
            rest.removeFirst()
        }
        if last == UInt8(ascii: "_") { throw .underscore }
        guard !digits.isEmpty else { throw .numberForm }
        return digits
    }

    private static func integer(
        _ digits: [UInt8], base: Int, isNegative: Bool
    ) throws(TOMLError.Reason) -> Int {
        var number = 0
        for digit in digits.compactMap(digit) {
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: base)
            // Downwards where it is negative: there is one number more.
            let (sum, isTooFar) = product.addingReportingOverflow(isNegative ? -digit : digit)
            if isTooLarge || isTooFar { throw .tooLarge }
            number = sum
        }
        return number
    }

    /// What is behind the whole part: a fraction, an exponent, or both.
    private static func float(
        _ isNegative: Bool, _ whole: [UInt8], _ rest: inout ArraySlice<UInt8>
    ) throws(TOMLError.Reason) -> Double {
        var text = whole
        if rest.first == UInt8(ascii: ".") {
            text.append(rest.removeFirst())
            text += try digits(&rest, where: isDecimal)
        }
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
            text.append(rest.removeFirst())
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                text.append(rest.removeFirst())
            }
            text += try digits(&rest, where: isDecimal)
        }
        guard rest.isEmpty, let number = Double(String(decoding: text, as: UTF8.self)) else { throw .numberForm }
        return isNegative ? -number : number
    }
}
