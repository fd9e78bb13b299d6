/// Text on a terminal: how wide it is. What it may contain: `VisibleText`.
enum DisplayText {
    /// Columns that it takes.
    static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    /// As much of it as fits, with an ellipsis where that is not all.
    static func cut(_ text: String, to columns: Int) -> String {
        guard width(text) > columns else { return text }
        guard columns > 0 else { return "" }
        var (result, used) = ("", 0)
        for character in text {
            let next = width(character)
            if used + next > columns - 1 { break }
            result.append(character)
            used += next
        }
        return result + "…"
    }

    /// In lines of so many columns, broken between words where that is possible; nil: in one.
    /// - Parameters:
    ///   - first: what the first line begins with.
    ///   - indent: what the others do.
    static func wrapped(_ text: String, to columns: Int?, first: String = "", indent: String) -> [String] {
        // Where there is room for a few words alone, an indent would take it all.
        guard let columns, columns > indent.count + 20 else { return [first + text] }
        var lines: [String] = []
        var (line, isEmpty) = (first, true)
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let next = isEmpty ? line + word : "\(line) \(word)"
            if isEmpty || width(next) <= columns {
                line = next
            } else {
                lines.append(line)
                line = indent + word
            }
            isEmpty = false
        }
        return lines + [line]
    }

    /// Filled up with spaces.
    static func padded(_ text: String, to columns: Int, isRight: Bool = false) -> String {
        let spaces = String(repeating: " ", count: max(0, columns - width(text)))
        return isRight ? spaces + text : text + spaces
    }

    /// A character is as wide as the widest of its scalars: an emoji of several is one.
    private static func width(_ character: Character) -> Int {
        character.unicodeScalars.reduce(0) { max($0, width($1)) }
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        if scalar.isASCII { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return isWide(scalar) ? 2 : 1
        }
    }

    /// East Asian wide and full-width (Unicode TR11), by blocks, and what is shown as an emoji.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x20000...0x3FFFD:
            true
        default: scalar.properties.isEmojiPresentation
        }
    }
}
