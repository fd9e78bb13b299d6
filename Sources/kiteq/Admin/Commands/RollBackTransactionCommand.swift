import ArgumentParser
import KiteQAdminClient
import KiteQCore

/// `kiteq transactions rollback`
struct RollBackTransactionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Roll back an undecided half message in its publisher's place, or one that is a dead letter.",
        discussion: """
            Nobody gets it then. Whether that is right is for you to find out, from the publisher's own tables.

              kiteq transactions rollback 00000000000000000000000000000002 --reason 'order 17 was cancelled'
            """)

    @Argument(help: "The message's id: 32 hexadecimal digits.")
    var id: MessageID

    @OptionGroup var reason: ReasonArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.act(API.rollBack(transaction: id.description, reason: reason.reason))
    }
}
