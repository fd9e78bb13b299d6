import ArgumentParser
import KiteQAdminClient

/// `kiteq dead-letters list`
struct ListDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List dead letters, oldest first (the default).",
        discussion: """
              kiteq dead-letters list --group s-trade --newer-than 1d
            """)

    @OptionGroup(title: "Filter") var filter: DeadLetterFilterArguments
    @OptionGroup var pages: PageArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.withClient { client in
            try await pages.list(
                API.deadLetters(filter.filter(client)), from: client, json: admin.json, empty: "no dead letters",
                columns: DeadLetterTable.columns, row: DeadLetterTable.row)
        }
    }
}
