import ArgumentParser
import MariaDB

/// What the statements of the background workers read where a million rows wait.
struct StatementsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statements", abstract: "Explain the workers' statements in full tables, and count what they read."
    )

    @OptionGroup var stage: StageArguments
    @Option(help: "Fresh messages that wait; of other rows there are a half or a tenth as many.")
    var rows = 1_000_000

    func run() async throws {
        // One shard has them all: a statement sees one.
        try await Stage.run(stage, []) { stage in
            let tables = FullTables(rows: rows)
            try await stage.tables.pool.withConnection { connection in
                try connection.simple("USE kite_0")
                progress("filling the tables")
                try tables.fill(connection)
                say("| worker | statement | EXPLAIN: table, type, key, rows | page | found | rows read |")
                say("| --- | --- | --- | ---: | ---: | ---: |")
                var greedy: [String] = []
                for statement in tables.statements {
                    let figures = try Figures(statement, on: connection)
                    say(figures.line)
                    if figures.read > statement.allowance { greedy.append(statement.name) }
                }
                guard greedy.isEmpty else { throw BacklogError("read too much: \(greedy.joined(separator: ", "))") }
            }
        }
    }
}

/// One execution of a statement.
private struct Figures {
    let line: String
    /// Rows and index entries.
    let read: Int

    init(_ statement: ExplainedStatement, on connection: isolated MariaDBConnection) throws {
        let text = try statement.text
        let plan = try connection.simpleRows("EXPLAIN \(text)").filter { $0.values[2] != .null }.map { row in
            // Columns: id, select_type, table, type, possible_keys, key, key_len, ref, rows, Extra.
            try [2, 3, 5, 8].map { row.values[$0] == .null ? "-" : try row.text($0) }.joined(separator: " ")
        }
        try connection.begin()
        try connection.simple("FLUSH STATUS")
        let found =
            text.hasPrefix("SELECT") ? try connection.query(text).count : try connection.execute(text).affectedRows
        // What the engine skips by a condition on its index is no read, but an attempt.
        read = try connection.simpleRows(
            """
            SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name LIKE 'Handler_icp%'
            """
        ).reduce(0) { sum, row in
            let value = Int(try row.text(1)) ?? 0
            return try sum + (row.text(0).lowercased() == "handler_icp_match" ? -value : value)
        }
        try connection.rollback()
        line =
            "| \(statement.worker) | `\(statement.name)` | \(plan.joined(separator: "; ")) | \(statement.page) | \(found) | \(read) |"
    }
}
