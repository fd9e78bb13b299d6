/// A page of metrics in Prometheus' text format, version 0.0.4.
///
/// Families are written one after another, each with its HELP and TYPE first and its samples together, as the format
/// demands. It does not check that a family is written once: that is the writer's to keep.
package struct PrometheusText: Sendable {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package enum Kind: String, Sendable, Hashable {
        case counter, gauge, histogram
    }

    package private(set) var text = ""

    package init() {}

    /// Begins a family. A backslash or a line break in the help is escaped.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(Self.escapedHelp(help))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// One sample of the family begun last; `name` differs from the family's for the parts of a histogram.
    package mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: Double) {
        text += name
        append(labels)
        text += " \(Self.formatted(value))\n"
    }

    package mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: Int) {
        text += name
        append(labels)
        text += " \(value)\n"
    }

    /// A family of one sample without labels.
    package mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        family(name, kind, help)
        sample(name, [], value)
    }

    package mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample(name, [], value)
    }

    /// A family whose samples differ in one label.
    package mutating func split(
        _ name: String, _ kind: Kind, _ help: String, by label: String, _ samples: [(String, Int)]
    ) {
        family(name, kind, help)
        for (value, count) in samples { sample(name, [(label, value)], count) }
    }

    private mutating func append(_ labels: [(String, String)]) {
        guard !labels.isEmpty else { return }
        text += "{"
        for (index, label) in labels.enumerated() {
            if index > 0 { text += "," }
            text += "\(label.0)=\"\(Self.escapedLabel(label.1))\""
        }
        text += "}"
    }

    // MARK: Escaping

    /// In a label's value a backslash, a quote and a line feed are escaped; everything else stands as it is.
    static func escapedLabel(_ value: String) -> String {
        escaped(value, quotes: true)
    }

    static func escapedHelp(_ value: String) -> String {
        escaped(value, quotes: false)
    }

    private static func escaped(_ value: String, quotes: Bool) -> String {
        var result = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\"" where quotes: result.append(contentsOf: "\\\"".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// A number as Go's ParseFloat reads it; whole numbers without a fraction.
    static func formatted(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value), abs(whole) < 1 << 53 { return "\(whole)" }
        return "\(value)"
    }
}
