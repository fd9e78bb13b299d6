import KiteQAdminClient
import KiteQCore

/// What the commands of the administration print.
enum AdminOutput {
    /// Cut to the terminal where there is one.
    static func print(_ table: TextTable) { print(table.lines(width: Terminal.size?.columns)) }

    static func print(_ lines: [String]) { StandardOutput.print(lines.joined(separator: "\n")) }

    /// In one line.
    static func print(_ value: JSONValue) { StandardOutput.print(value.text) }

    /// - Throws: ``CommandError`` where shards did not answer: what was printed is not all, and a script must not take it for that.
    static func check(_ unreachable: [API.Unreachable]) throws(CommandError) {
        guard let first = unreachable.first else { return }
        let names = unreachable.map { "\($0.shard)" }.joined(separator: ", ")
        throw CommandError(
            "shard \(names) did not answer (\(VisibleText.escaped(first.reason))): what is there is missing above")
    }
}
