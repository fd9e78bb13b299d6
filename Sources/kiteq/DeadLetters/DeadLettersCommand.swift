import ArgumentParser

/// `kiteq dead-letters`
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Look at what could not be delivered, give it back, or delete it.",
        discussion: """
            A dead letter is one message that one group did not get. Its id is its shard and its number there, 0:17; a message id \
            stands for all letters of that message.
            """,
        subcommands: [
            ListDeadLettersCommand.self, ShowDeadLettersCommand.self, CountDeadLettersCommand.self,
            RequeueDeadLettersCommand.self, DeleteDeadLettersCommand.self,
        ],
        defaultSubcommand: ListDeadLettersCommand.self)
}
