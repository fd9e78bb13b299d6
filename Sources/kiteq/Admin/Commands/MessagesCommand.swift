import ArgumentParser

/// `kiteq messages`
struct MessagesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "messages",
        abstract: "Find messages that are not done, and see what happened to one.",
        subcommands: [ShowMessageCommand.self, SearchMessagesCommand.self])
}
