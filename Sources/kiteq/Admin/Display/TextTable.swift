import KiteQCore

/// A table for people: a line for each row, each column as wide as it must be.
struct TextTable {
    struct Column {
        let title: String
        /// Numbers end below one another.
        let isNumber: Bool

        static func text(_ title: String) -> Self { Self(title: title, isNumber: false) }
        static func number(_ title: String) -> Self { Self(title: title, isNumber: true) }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// - Parameter cells: one for each column, as they are: what a terminal must not see is escaped here. Nothing is `-`.
    mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "a row has a cell for each column")
        rows.append(cells.map { $0.isEmpty ? "-" : VisibleText.escaped($0) })
    }

    /// The titles, then a line for each row.
    /// - Parameter width: columns of the terminal; longer lines are cut. Nil: whole.
    func lines(width: Int? = nil) -> [String] {
        let widths = columns.indices.map { index in
            rows.reduce(DisplayText.width(columns[index].title)) { max($0, DisplayText.width($1[index])) }
        }
        return ([columns.map(\.title)] + rows).map { cells in
            let line = cells.indices.map { index in
                // The last one ends the line.
                index == cells.count - 1 && !columns[index].isNumber
                    ? cells[index]
                    : DisplayText.padded(cells[index], to: widths[index], isRight: columns[index].isNumber)
            }.joined(separator: "  ")
            return width.map { DisplayText.cut(line, to: $0) } ?? line
        }
    }
}
