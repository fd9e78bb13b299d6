import ArgumentParser

/// `kiteq transactions`
struct TransactionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transactions",
        abstract: "Look at half messages that nobody has decided, and decide them.",
        subcommands: [
            ListTransactionsCommand.self, CommitTransactionCommand.self, RollBackTransactionCommand.self,
        ],
        defaultSubcommand: ListTransactionsCommand.self)
}
