/// Reads the syntax that ``BindingPattern`` describes.
struct BindingPatternParser {
    typealias Node = BindingPatternCompiler.Node
    typealias SyntaxError = BindingPattern.SyntaxError

    private struct Flags {
        var ignoresCase = false
        var multiline = false
        var dotTakesNewline = false
    }

    static let maximumDepth = 100
    static let maximumRepetition = 1000

    let scalars: [Unicode.Scalar]
    var position = 0
    private var flags = Flags()
    private var depth = 0
    /// Those met so far, each once: nodes name them by their numbers.
    private(set) var sets: [BindingScalarSet] = []
    private var setNumbers: [BindingScalarSet: Int] = [:]

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func parse() throws(SyntaxError) -> Node {
        guard scalars.count <= Binding.maximumNameLength else {
            throw SyntaxError("it is longer than \(Binding.maximumNameLength) characters")
        }
        let node = try parseAlternatives()
        if let scalar = peek { throw SyntaxError("'\(scalar)' without its opening bracket") }
        return node
    }

    var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        position += 1
        return true
    }

    mutating func take(_ text: String) -> Bool {
        guard scalars[position...].starts(with: text.unicodeScalars) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    private mutating func parseAlternatives() throws(SyntaxError) -> Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw SyntaxError("its groups are nested too deeply") }
        var nodes = [try parseSequence()]
        while take("|" as Unicode.Scalar) { nodes.append(try parseSequence()) }
        return nodes.count == 1 ? nodes[0] : .alternatives(nodes)
    }

    private mutating func parseSequence() throws(SyntaxError) -> Node {
        var nodes: [Node] = []
        while let scalar = peek, scalar != "|", scalar != ")" {
            if take("\\Q") {
                nodes += parseQuoted()
                // A quantifier after the quotation belongs to its last character.
                if let last = nodes.popLast() { nodes.append(try parseQuantifier(of: last)) }
                continue
            }
            guard let atom = try parseAtom() else { continue }
            nodes.append(try parseQuantifier(of: atom))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    /// Nil for what stands for no text, as `(?i)`.
    private mutating func parseAtom() throws(SyntaxError) -> Node? {
        let scalar = scalars[position]
        switch scalar {
        case "(":
            position += 1
            return try parseGroup()
        case "[":
            position += 1
            var set = try parseSet()
            set.ignoresCase = flags.ignoresCase
            return node(set)
        case ".":
            position += 1
            return node(flags.dotTakesNewline ? .any : .notNewline)
        case "^":
            position += 1
            return .assert(flags.multiline ? .lineStart : .textStart)
        case "$":
            position += 1
            return .assert(flags.multiline ? .lineEnd : .textEnd)
        case "*", "+", "?": throw SyntaxError("'\(scalar)' has nothing to repeat")
        case "{":
            // Go takes a brace that does not read as a count for itself.
            if try parseCount() != nil { throw SyntaxError("'{' has nothing to repeat") }
            position += 1
            return literal(scalar)
        case "\\":
            position += 1
            return try parseEscape()
        default:
            position += 1
            return literal(scalar)
        }
    }

    private mutating func literal(_ scalar: Unicode.Scalar) -> Node {
        guard flags.ignoresCase, !BindingScalarSet.otherCases(of: scalar).isEmpty else { return .scalar(scalar) }
        var set = BindingScalarSet(scalar...scalar)
        set.ignoresCase = true
        return node(set)
    }

    private mutating func node(_ set: BindingScalarSet) -> Node {
        if let known = setNumbers[set] { return .set(known) }
        sets.append(set)
        setNumbers[set] = sets.count - 1
        return .set(sets.count - 1)
    }

    private mutating func parseEscape() throws(SyntaxError) -> Node {
        let assertions: [Unicode.Scalar: BindingPattern.Assertion] = [
            "A": .textStart, "z": .textEnd, "b": .wordBoundary, "B": .notWordBoundary,
        ]
        if let scalar = peek, let assertion = assertions[scalar] {
            position += 1
            return .assert(assertion)
        }
        if var set = try parseClassEscape() {
            set.ignoresCase = flags.ignoresCase
            return node(set)
        }
        return literal(try parseScalarEscape())
    }

    private mutating func parseQuoted() -> [Node] {
        var nodes: [Node] = []
        while position < scalars.count, !take("\\E") {
            nodes.append(literal(scalars[position]))
            position += 1
        }
        return nodes
    }

    private mutating func parseQuantifier(of node: Node) throws(SyntaxError) -> Node {
        let repeated: Node
        switch peek {
        case "*": repeated = .repeated(node, minimum: 0, maximum: nil)
        case "+": repeated = .repeated(node, minimum: 1, maximum: nil)
        case "?": repeated = .repeated(node, minimum: 0, maximum: 1)
        case "{":
            guard let count = try parseCount() else { return node }
            repeated = .repeated(node, minimum: count.minimum, maximum: count.maximum)
            position -= 1
        default: return node
        }
        position += 1
        // Lazy or greedy is the same to whoever asks only whether it matches.
        _ = take("?" as Unicode.Scalar)
        switch peek {
        case "*", "+", "?": throw SyntaxError("a repetition of a repetition needs brackets, and none is possessive")
        case "{": if try parseCount() != nil { throw SyntaxError("a repetition of a repetition needs brackets") }
        default: break
        }
        return repeated
    }

    /// `{n}`, `{n,}` or `{n,m}`; nil, and nothing taken, where it is none.
    private mutating func parseCount() throws(SyntaxError) -> (minimum: Int, maximum: Int?)? {
        let start = position
        guard take("{" as Unicode.Scalar), let minimum = parseNumber() else {
            position = start
            return nil
        }
        var maximum: Int? = minimum
        if take("," as Unicode.Scalar) { maximum = parseNumber() }
        guard take("}" as Unicode.Scalar) else {
            position = start
            return nil
        }
        guard max(minimum, maximum ?? 0) <= Self.maximumRepetition else {
            throw SyntaxError("a repetition counts to more than \(Self.maximumRepetition)")
        }
        if let maximum, maximum < minimum { throw SyntaxError("a repetition counts down") }
        return (minimum, maximum)
    }

    /// Decimal; what is beyond the maximal repetition stays beyond it.
    private mutating func parseNumber() -> Int? {
        var number: Int?
        while let scalar = peek, ("0"..."9").contains(scalar) {
            number = min((number ?? 0) * 10 + Int(scalar.value - 48), Self.maximumRepetition + 1)
            position += 1
        }
        return number
    }

    /// After `(`.
    private mutating func parseGroup() throws(SyntaxError) -> Node? {
        let outer = flags
        if take("?" as Unicode.Scalar) {
            if take("P<") || (peek == "<" && !nextIsLookbehind && take("<" as Unicode.Scalar)) {
                try skipGroupName()
            } else {
                let isFlagsOnly = try parseFlags()
                // `(?i)` holds to the end of the group around it.
                if isFlagsOnly { return nil }
            }
        }
        let node = try parseAlternatives()
        guard take(")" as Unicode.Scalar) else { throw SyntaxError("'(' without its closing bracket") }
        flags = outer
        return node
    }

    private var nextIsLookbehind: Bool {
        position + 1 < scalars.count && (scalars[position + 1] == "=" || scalars[position + 1] == "!")
    }

    private mutating func skipGroupName() throws(SyntaxError) {
        let start = position
        while let scalar = peek, BindingScalarSet.word.contains(scalar) { position += 1 }
        guard position > start, take(">" as Unicode.Scalar) else {
            throw SyntaxError("the name of a group is not of letters, digits and '_', closed by '>'")
        }
    }

    /// After `(?`; true for `(?i)`, false for `(?i:`.
    private mutating func parseFlags() throws(SyntaxError) -> Bool {
        var isOn = true
        var hasFlags = false
        while let scalar = peek {
            position += 1
            switch scalar {
            case "i": flags.ignoresCase = isOn
            case "m": flags.multiline = isOn
            case "s": flags.dotTakesNewline = isOn
            case "U": break  // Swaps lazy and greedy: the same here.
            case "-" where isOn:
                isOn = false
                hasFlags = false
                continue
            case ":" where isOn || hasFlags: return false
            case ")" where hasFlags: return true
            case "=", "!", "<", ">":
                throw SyntaxError("look-around and atomic groups ('(?\(scalar)') are not supported")
            default: throw SyntaxError("'(?' is followed by '\(scalar)', which is no flag of i, m, s, U")
            }
            hasFlags = true
        }
        throw SyntaxError("'(?' without its closing bracket")
    }
}
