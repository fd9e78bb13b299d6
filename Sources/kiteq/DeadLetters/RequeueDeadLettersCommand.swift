import ArgumentParser

/// `kiteq dead-letters requeue`
struct RequeueDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requeue",
        abstract: "Give dead letters back to their groups.",
        discussion: """
            The group of each letter, and no other, gets the message again, with all its attempts. Of a filter, or --all, the \
            count is asked for at a terminal; in a script say it. Ends with status 1 where one was not requeued.

              kiteq dead-letters requeue 0:17 2:5
              kiteq dead-letters requeue --group s-trade --newer-than 2h --yes --expect 12
            """)

    @OptionGroup var selection: DeadLetterSelection
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.withClient(usual: .seconds(600)) { client in
            try await DeadLetterRun(act: .requeue, selection: selection, json: admin.json, client: client).run()
        }
    }
}
