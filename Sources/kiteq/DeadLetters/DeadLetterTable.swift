import KiteQAdminClient

/// Dead letters as a table for people.
enum DeadLetterTable {
    static let columns: [TextTable.Column] = [
        .text("ID"), .text("DIED"), .text("GROUP"), .text("TOPIC/TYPE"), .text("REASON"), .number("ATTEMPTS"),
        .text("MESSAGE ID"), .text("LAST ERROR"),
    ]

    static func row(_ letter: API.DeadLetter) -> [String] {
        [
            letter.letter, Figures.time(letter.diedAt), letter.group, "\(letter.topic)/\(letter.messageType)",
            letter.reason, "\(letter.attempts)", letter.id, letter.lastError ?? "",
        ]
    }

    static func table(_ letters: [API.DeadLetter]) -> TextTable {
        var table = TextTable(columns)
        for letter in letters { table.add(row(letter)) }
        return table
    }
}
