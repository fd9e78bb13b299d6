import ArgumentParser
import KiteQAdminClient

/// `kiteq groups resume`
struct ResumeGroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Deliver to a paused group again, oldest first.")

    @Argument(help: "The group's name.")
    var group: String

    @OptionGroup var reason: OptionalReasonArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func validate() throws { try ClientArguments.check(group, "GROUP") }

    func run() async throws {
        try await admin.act(API.resume(group: group, reason: reason.reason))
    }
}
