/// Makes names that Prometheus accepts from the labels that code uses, and keeps to its conventions.
enum PrometheusName {
    /// A metric's name: `[a-zA-Z_:][a-zA-Z0-9_:]*`. Every other character becomes `_`; what is not ours gets the prefix
    /// `kiteq_`, so that all of one process stand together.
    static func metric(_ label: String) -> String {
        let cleaned = clean(label, allowsColon: true)
        return cleaned.hasPrefix("kiteq_") ? cleaned : "kiteq_" + cleaned
    }

    /// A label's name: `[a-zA-Z_][a-zA-Z0-9_]*`. Two leading underscores are Prometheus' own and become one.
    /// A histogram's `le` is its own.
    static func label(_ name: String, of kind: PrometheusText.Kind) -> String {
        var cleaned = clean(name, allowsColon: false)
        while cleaned.hasPrefix("__") { cleaned.removeFirst() }
        return kind == .histogram && cleaned == "le" ? "exported_le" : cleaned
    }

    /// `name` with `suffix`, once.
    static func suffixed(_ name: String, _ suffix: String) -> String {
        name.hasSuffix(suffix) ? name : name + suffix
    }

    private static func clean(_ text: String, allowsColon: Bool) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isAllowed: Bool
            switch scalar {
            case "a"..."z", "A"..."Z", "_": isAllowed = true
            case "0"..."9":
                if result.isEmpty { result.append("_") }
                isAllowed = true
            case ":": isAllowed = allowsColon
            default: isAllowed = false
            }
            result.append(isAllowed ? scalar : "_")
        }
        return result.isEmpty ? "_" : String(result)
    }
}
