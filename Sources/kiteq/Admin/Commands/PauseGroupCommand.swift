import ArgumentParser
import KiteQAdminClient

/// `kiteq groups pause`
struct PauseGroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Deliver nothing more to a group, at any broker.",
        discussion: """
            What is in flight goes on; what comes waits.

              kiteq groups pause s-trade --reason 'its database is being moved'
            """)

    @Argument(help: "The group's name.")
    var group: String

    @OptionGroup var reason: ReasonArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func validate() throws { try ClientArguments.check(group, "GROUP") }

    func run() async throws {
        try await admin.act(API.pause(group: group, reason: reason.reason))
    }
}
