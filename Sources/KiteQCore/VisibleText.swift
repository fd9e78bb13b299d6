/// Others' text as people may see it: what cannot be seen, moves a cursor, begins a line or turns the direction of writing is spelt
/// out.
///
/// That is the Unicode categories Cc (controls, those of C1 too), Cf (format: marks of direction, zero-width, tags), Zl and Zp
/// (separators of lines and paragraphs), and what has no category yet and is not to be shown. All that shows names, bodies, reasons or errors of others does it by this rule: log lines,
/// tables, JSON, answers of the broker; the console has the same in `format.js`.
package enum VisibleText {
    /// Whether it is spelt out.
    package static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7F { return scalar.value < 0x20 }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        case .unassigned: scalar.properties.isDefaultIgnorableCodePoint
        default: false
        }
    }

    /// Whether anything in it is.
    package static func needsEscapes(_ text: String) -> Bool {
        !text.utf8.allSatisfy { (0x20..<0x7F).contains($0) } && text.unicodeScalars.contains(where: isHidden)
    }

    /// In one line, for people: `\n`, `\r`, `\t`, `\x1b`, `\u{202e}`.
    package static func escaped(_ text: String) -> String { escaped(text, inFull) }

    /// The same of its beginning, for a sentence that repeats what somebody wrote, however long it is.
    package static func shortened(_ text: String) -> String {
        let start = text.unicodeScalars.prefix(shownScalars)
        let isWhole = start.endIndex == text.unicodeScalars.endIndex
        return escaped(String(String.UnicodeScalarView(start))) + (isWhole ? "" : "…")
    }

    private static let shownScalars = 300

    /// Calls `escape` for what is hidden; all else stands as it is.
    package static func escaped(_ text: String, _ escape: (Unicode.Scalar) -> String) -> String {
        if !needsEscapes(text) { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isHidden(scalar) { result += escape(scalar).unicodeScalars } else { result.append(scalar) }
        }
        return String(result)
    }

    /// In a string of JSON: `\u202e`, and two of these beyond the first plane. What is read back is what it was.
    package static func jsonEscape(_ scalar: Unicode.Scalar) -> String {
        UTF16.encode(scalar).map { units in units.reduce(into: "") { $0 += "\\u" + digits($1, 4) } } ?? ""
    }

    private static func inFull(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        case _ where scalar.value <= 0xFF && scalar.properties.generalCategory == .control:
            "\\x\(String(scalar.value, radix: 16))"
        default: "\\u{\(String(scalar.value, radix: 16))}"
        }
    }

    private static func digits(_ number: some BinaryInteger, _ count: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
}
