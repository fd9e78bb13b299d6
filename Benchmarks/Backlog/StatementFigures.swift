import MariaDB

/// What the server did for one prepared statement.
struct StatementFigures: Sendable {
    var text: String
    var executions: Int
    var examined: Int
    var sent: Int
    var affected: Int
    /// Milliseconds, all executions together.
    var total: Double
    /// Milliseconds.
    var longest: Double

    init(_ row: MariaDBRow) throws {
        text = Self.short(try row.text(0))
        executions = Int(try row.text(1)) ?? 0
        examined = Int(try row.text(2)) ?? 0
        sent = Int(try row.text(3)) ?? 0
        affected = Int(try row.text(4)) ?? 0
        total = Double(try row.text(5)) ?? 0
        longest = Double(try row.text(6)) ?? 0
    }

    /// Lists of placeholders as one, so that the sizes of a list are one statement.
    private static func short(_ text: String) -> String {
        text.replacing(/\?(, ?\?)+/, with: "…").replacing(/(\(…\))(, ?\(…\))+/, with: "(…)").replacing(/\s+/, with: " ")
    }

    /// The same texts together, the dearest first.
    static func table(_ all: [StatementFigures]) -> String {
        var byText: [String: StatementFigures] = [:]
        for figures in all {
            guard var known = byText[figures.text] else {
                byText[figures.text] = figures
                continue
            }
            known.executions += figures.executions
            known.examined += figures.examined
            known.sent += figures.sent
            known.affected += figures.affected
            known.total += figures.total
            known.longest = max(known.longest, figures.longest)
            byText[figures.text] = known
        }
        let lines = byText.values.sorted { $0.total > $1.total }.map { figures in
            let mean = figures.total / Double(max(figures.executions, 1))
            return "| `\(figures.text.prefix(150))` | \(figures.executions) | \(figures.examined) | \(figures.sent) | "
                + "\(figures.affected) | \(mean.text) | \(figures.longest.text) |"
        }
        return
            (["| statement | times | rows read | sent | changed | mean ms | longest ms |",
              "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"] + lines).joined(separator: "\n")
    }
}

extension Double {
    /// Two digits after the point.
    var text: String {
        let hundredths = Int((self * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
