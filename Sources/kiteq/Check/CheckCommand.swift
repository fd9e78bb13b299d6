import ArgumentParser

/// `kiteq check`
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Look at what a broker works with, and change nothing.",
        subcommands: [CheckDatabaseCommand.self])
}
