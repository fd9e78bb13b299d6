/// A set of code points, as a bracket expression or a class escape of a ``BindingPattern`` names it.
struct BindingScalarSet: Sendable, Hashable {
    private var ranges: [ClosedRange<UInt32>] = []
    private var parts: [BindingScalarSet] = []
    private var categories: [Unicode.GeneralCategory] = []
    var isNegated = false
    /// Whether a code point is in the set when its other case is.
    var ignoresCase = false

    init() {}

    init(_ ranges: ClosedRange<Unicode.Scalar>..., negated: Bool = false) {
        for range in ranges { insert(range) }
        isNegated = negated
    }

    init(categories: [Unicode.GeneralCategory], negated: Bool) {
        self.categories = categories
        isNegated = negated
    }

    mutating func insert(_ range: ClosedRange<Unicode.Scalar>) {
        ranges.append(range.lowerBound.value...range.upperBound.value)
    }

    mutating func insert(_ set: BindingScalarSet) { parts.append(set) }

    /// What it takes to find out whether a code point is in it, in comparisons.
    var work: Int {
        // To find a category takes as long as some comparisons.
        let own = ranges.count + (categories.isEmpty ? 0 : categories.count + 10)
        return (own + parts.reduce(1) { $0 + $1.work }) * (ignoresCase ? 3 : 1)
    }

    /// Whether this set, or one within it, asks for other cases.
    var asksForCases: Bool { ignoresCase || parts.contains(where: \.asksForCases) }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        contains(scalar, otherCases: asksForCases ? Self.otherCases(of: scalar) : [])
    }

    /// - Parameter others: the other cases of the code point, which take long to find out.
    func contains(_ scalar: Unicode.Scalar, otherCases others: [Unicode.Scalar]) -> Bool {
        let found = holds(scalar, others) || ignoresCase && others.contains { holds($0, [scalar]) }
        return found != isNegated
    }

    private func holds(_ scalar: Unicode.Scalar, _ others: [Unicode.Scalar]) -> Bool {
        if ranges.contains(where: { $0.contains(scalar.value) }) { return true }
        if parts.contains(where: { $0.contains(scalar, otherCases: others) }) { return true }
        return !categories.isEmpty && categories.contains(scalar.properties.generalCategory)
    }

    /// The single code points that differ from this one in case only.
    static func otherCases(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        let properties = scalar.properties
        var result: [Unicode.Scalar] = []
        for mapping in [properties.lowercaseMapping, properties.uppercaseMapping] {
            guard let only = mapping.unicodeScalars.first, mapping.unicodeScalars.count == 1, only != scalar
            else { continue }
            result.append(only)
            // The long s and the Kelvin sign share an upper or lower case with a plain letter.
            let back = only.properties.lowercaseMapping.unicodeScalars
            if back.count == 1, let lower = back.first, lower != scalar { result.append(lower) }
        }
        return result
    }
}

extension BindingScalarSet {
    static let digit = BindingScalarSet("0"..."9")
    static let word = BindingScalarSet("0"..."9", "A"..."Z", "_"..."_", "a"..."z")
    static let space = BindingScalarSet("\t"..."\n", "\u{0C}"..."\r", " "..." ")
    static let any = BindingScalarSet(negated: true)
    static let notNewline = BindingScalarSet("\n"..."\n", negated: true)

    /// The sets that brackets name, as in `[[:alpha:]]`.
    static let named: [String: BindingScalarSet] = [
        "alnum": BindingScalarSet("0"..."9", "A"..."Z", "a"..."z"),
        "alpha": BindingScalarSet("A"..."Z", "a"..."z"),
        "ascii": BindingScalarSet("\0"..."\u{7F}"),
        "blank": BindingScalarSet("\t"..."\t", " "..." "),
        "cntrl": BindingScalarSet("\0"..."\u{1F}", "\u{7F}"..."\u{7F}"),
        "digit": digit,
        "graph": BindingScalarSet("!"..."~"),
        "lower": BindingScalarSet("a"..."z"),
        "print": BindingScalarSet(" "..."~"),
        "punct": BindingScalarSet("!"..."/", ":"..."@", "["..."`", "{"..."~"),
        "space": BindingScalarSet("\t"..."\r", " "..." "),
        "upper": BindingScalarSet("A"..."Z"),
        "word": word,
        "xdigit": BindingScalarSet("0"..."9", "A"..."F", "a"..."f"),
    ]

    /// The general categories that `\p{…}` names by one or two letters; nil for another name.
    static func categories(named name: String) -> [Unicode.GeneralCategory]? {
        switch name {
        case "L": [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter]
        case "Lu": [.uppercaseLetter]
        case "Ll": [.lowercaseLetter]
        case "Lt": [.titlecaseLetter]
        case "Lm": [.modifierLetter]
        case "Lo": [.otherLetter]
        case "M": [.nonspacingMark, .spacingMark, .enclosingMark]
        case "Mn": [.nonspacingMark]
        case "Mc": [.spacingMark]
        case "Me": [.enclosingMark]
        case "N": [.decimalNumber, .letterNumber, .otherNumber]
        case "Nd": [.decimalNumber]
        case "Nl": [.letterNumber]
        case "No": [.otherNumber]
        case "P":
            [
                .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
                .finalPunctuation, .otherPunctuation,
            ]
        case "Pc": [.connectorPunctuation]
        case "Pd": [.dashPunctuation]
        case "Ps": [.openPunctuation]
        case "Pe": [.closePunctuation]
        case "Pi": [.initialPunctuation]
        case "Pf": [.finalPunctuation]
        case "Po": [.otherPunctuation]
        case "S": [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol]
        case "Sm": [.mathSymbol]
        case "Sc": [.currencySymbol]
        case "Sk": [.modifierSymbol]
        case "So": [.otherSymbol]
        case "Z": [.spaceSeparator, .lineSeparator, .paragraphSeparator]
        case "Zs": [.spaceSeparator]
        case "Zl": [.lineSeparator]
        case "Zp": [.paragraphSeparator]
        case "C": [.control, .format, .surrogate, .privateUse]
        case "Cc": [.control]
        case "Cf": [.format]
        case "Cs": [.surrogate]
        case "Co": [.privateUse]
        default: nil
        }
    }
}
