import KiteQCore

/// Dead letters as a table for people: a line each, the columns as wide as they must be.
struct DeadLetterTable {
    private let rows: [[String]]

    private static let titles = [
        "ID", "DIED", "GROUP", "TOPIC/TYPE", "REASON", "ATTEMPTS", "MESSAGE ID", "LAST ERROR",
    ]

    init(_ letters: [DeadLetter]) {
        rows = letters.map { letter in
            [
                letter.id.description, LogTime(milliseconds: letter.diedAt).description,
                letter.group.isEmpty ? "-" : MessageLine.visible(letter.group),
                MessageLine.visible("\(letter.topic)/\(letter.messageType)"), letter.reason.name,
                "\(letter.attempts)", letter.messageID.description, letter.lastError.map(MessageLine.visible) ?? "-",
            ]
        }
    }

    var text: String {
        if rows.isEmpty { return "no dead letters" }
        let all = [Self.titles] + rows
        let widths = Self.titles.indices.map { column in all.map { $0[column].unicodeScalars.count }.max() ?? 0 }
        return all.map { row in
            zip(row, widths).enumerated().map { index, cell in
                // The last one ends the line.
                let missing = index == row.count - 1 ? 0 : cell.1 - cell.0.unicodeScalars.count
                return cell.0 + String(repeating: " ", count: missing)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

extension LogTime {
    /// Of Unix milliseconds.
    init(milliseconds: Timestamp) {
        let parts = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        self.init(seconds: Int(parts.quotient), nanoseconds: Int(parts.remainder) * 1_000_000)
    }
}
