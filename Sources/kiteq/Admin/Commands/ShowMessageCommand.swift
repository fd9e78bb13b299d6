import ArgumentParser
import KiteQAdminClient
import KiteQCore

/// `kiteq messages show`
struct ShowMessageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one message: where each group has it, what happened to it when, and its body.",
        discussion: "Ends with status 1 where nothing is known of it: it was never accepted here, or is done.")

    @Argument(help: "The message's id: 32 hexadecimal digits.")
    var id: MessageID

    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.show(API.message(id.description)) { story in
            AdminOutput.print(MessageStoryText(id: id.description, story: story).lines(width: Terminal.size?.columns))
        }
    }
}
