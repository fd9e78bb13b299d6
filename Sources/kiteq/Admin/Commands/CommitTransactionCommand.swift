import ArgumentParser
import KiteQAdminClient
import KiteQCore

/// `kiteq transactions commit`
struct CommitTransactionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commit",
        abstract: "Commit an undecided half message in its publisher's place, or one that is a dead letter.",
        discussion: """
            Whether the publisher's transaction happened is for you to find out, from its own tables.

              kiteq transactions commit 00000000000000000000000000000002 --reason 'order 17 is paid, says finance'
            """)

    @Argument(help: "The message's id: 32 hexadecimal digits.")
    var id: MessageID

    @OptionGroup var reason: ReasonArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.act(API.commit(transaction: id.description, reason: reason.reason))
    }
}
