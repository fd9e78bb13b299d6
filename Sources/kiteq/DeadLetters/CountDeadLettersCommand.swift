import ArgumentParser
import KiteQAdminClient

/// `kiteq dead-letters count`
struct CountDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count",
        abstract: "Count dead letters, for --expect of requeue and delete.",
        discussion: """
            Undecided half messages are counted, as they are changed, with --reason undecided alone.

              kiteq dead-letters count --group s-trade
            """)

    @OptionGroup(title: "Filter") var filter: DeadLetterFilterArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.withClient { client in
            let request = try API.countDeadLetters(try await filter.filter(client))
            if admin.json {
                AdminOutput.print(try await client.json(request))
            } else {
                StandardOutput.print(Figures.count(try await client.send(request)))
            }
        }
    }
}
