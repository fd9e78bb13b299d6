/// A line of `kiteq top`.
struct TopLine: Hashable, Sendable {
    enum Style: Hashable, Sendable {
        case plain
        case title
        case critical
        case warning
    }

    var text: String
    var style: Style

    init(_ text: String, _ style: Style = .plain) {
        self.text = text
        self.style = style
    }

    /// With its colour; the words say the same without.
    func painted(hasColors: Bool) -> String {
        guard hasColors else { return text }
        return switch style {
        case .plain: text
        case .title: "\u{1B}[1m\(text)\u{1B}[0m"
        case .critical: "\u{1B}[1;31m\(text)\u{1B}[0m"
        case .warning: "\u{1B}[33m\(text)\u{1B}[0m"
        }
    }
}
