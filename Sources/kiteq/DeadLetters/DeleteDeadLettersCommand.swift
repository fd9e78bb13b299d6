import ArgumentParser

/// `kiteq dead-letters delete`
struct DeleteDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete dead letters for good.",
        discussion: """
            To delete an undecided half message is to roll it back. Of a filter, or --all, the count is asked for at a \
            terminal; in a script say it. Ends with status 1 where one was not deleted.

              kiteq dead-letters delete 0:17
              kiteq dead-letters delete --topic feed --older-than 7d --yes --expect 340
            """)

    @OptionGroup var selection: DeadLetterSelection
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.withClient(usual: .seconds(600)) { client in
            try await DeadLetterRun(act: .delete, selection: selection, json: admin.json, client: client).run()
        }
    }
}
