extension BindingPatternParser {
    /// After `[`.
    mutating func parseSet() throws(SyntaxError) -> BindingScalarSet {
        var set = BindingScalarSet()
        set.isNegated = take("^" as Unicode.Scalar)
        var isFirst = true
        while let scalar = peek {
            // A closing bracket that comes first stands for itself.
            if scalar == "]", !isFirst {
                position += 1
                return set
            }
            isFirst = false
            if take("[:") {
                set.insert(try parseNamedSet())
                continue
            }
            if scalar == "\\" {
                position += 1
                if let part = try parseClassEscape() {
                    set.insert(part)
                    continue
                }
                position -= 1
            }
            set.insert(try parseRange())
        }
        throw SyntaxError("'[' without its closing bracket")
    }

    private mutating func parseRange() throws(SyntaxError) -> ClosedRange<Unicode.Scalar> {
        let low = try parseMember()
        // A '-' before the closing bracket stands for itself.
        guard peek == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else { return low...low }
        position += 1
        let high = try parseMember()
        guard low <= high else { throw SyntaxError("the range '\(low)-\(high)' runs backwards") }
        return low...high
    }

    private mutating func parseMember() throws(SyntaxError) -> Unicode.Scalar {
        guard let scalar = peek else { throw SyntaxError("'[' without its closing bracket") }
        position += 1
        return scalar == "\\" ? try parseScalarEscape() : scalar
    }

    /// After `[:`.
    private mutating func parseNamedSet() throws(SyntaxError) -> BindingScalarSet {
        let isNegated = take("^" as Unicode.Scalar)
        var name = ""
        while let scalar = peek, ("a"..."z").contains(scalar) {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take(":]"), var set = BindingScalarSet.named[name] else {
            throw SyntaxError("'[:\(name)' is no class that is known")
        }
        set.isNegated = isNegated
        return set
    }

    /// After `\`; nil, and nothing taken, where it is no class.
    mutating func parseClassEscape() throws(SyntaxError) -> BindingScalarSet? {
        var set: BindingScalarSet
        switch peek {
        case "d": set = .digit
        case "D":
            set = .digit
            set.isNegated = true
        case "w": set = .word
        case "W":
            set = .word
            set.isNegated = true
        case "s": set = .space
        case "S":
            set = .space
            set.isNegated = true
        case "p", "P": return try parseCategory()
        default: return nil
        }
        position += 1
        return set
    }

    private mutating func parseCategory() throws(SyntaxError) -> BindingScalarSet {
        var isNegated = peek == "P"
        position += 1
        var name = ""
        if take("{" as Unicode.Scalar) {
            if take("^" as Unicode.Scalar) { isNegated.toggle() }
            while let scalar = peek, scalar != "}" {
                name.unicodeScalars.append(scalar)
                position += 1
            }
            guard take("}" as Unicode.Scalar) else { throw SyntaxError("'\\p{' without its closing brace") }
        } else if let scalar = peek {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard let categories = BindingScalarSet.categories(named: name) else {
            throw SyntaxError("'\\p{\(name)}' is no general category; scripts are not supported")
        }
        return BindingScalarSet(categories: categories, negated: isNegated)
    }

    /// After `\`: one code point.
    mutating func parseScalarEscape() throws(SyntaxError) -> Unicode.Scalar {
        guard let scalar = peek else { throw SyntaxError("it ends in a lone '\\'") }
        position += 1
        switch scalar {
        case "a": return "\u{07}"
        case "f": return "\u{0C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{0B}"
        case "x": return try parseHexadecimal(digits: 2, allowsBraces: true)
        case "u": return try parseHexadecimal(digits: 4, allowsBraces: false)
        case "0"..."7": return try parseOctal(first: scalar)
        default:
            guard scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
                throw SyntaxError("'\\\(scalar)' is no escape that is known")
            }
            return scalar
        }
    }

    /// As Go has it: `\0` and up to two digits more, or `\1` to `\7` with at least one: alone these are back-references.
    private mutating func parseOctal(first: Unicode.Scalar) throws(SyntaxError) -> Unicode.Scalar {
        var value = first.value - 48
        var digits = 1
        while digits < 3, let scalar = peek, ("0"..."7").contains(scalar) {
            value = value * 8 + scalar.value - 48
            digits += 1
            position += 1
        }
        guard first == "0" || digits > 1, let result = Unicode.Scalar(value) else {
            throw SyntaxError("'\\\(first)': back-references are not supported")
        }
        return result
    }

    private mutating func parseHexadecimal(digits: Int, allowsBraces: Bool) throws(SyntaxError) -> Unicode.Scalar {
        let isBraced = allowsBraces && take("{" as Unicode.Scalar)
        var text = ""
        while text.unicodeScalars.count < (isBraced ? 6 : digits), let scalar = peek, scalar.properties.isASCIIHexDigit
        {
            text.unicodeScalars.append(scalar)
            position += 1
        }
        guard !text.isEmpty, isBraced ? take("}" as Unicode.Scalar) : text.unicodeScalars.count == digits,
            let value = UInt32(text, radix: 16), let scalar = Unicode.Scalar(value)
        else { throw SyntaxError("a hexadecimal escape names no code point") }
        return scalar
    }
}
