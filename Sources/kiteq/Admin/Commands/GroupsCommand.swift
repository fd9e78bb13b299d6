import ArgumentParser

/// `kiteq groups`
struct GroupsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups",
        abstract: "Look at groups and what waits for them, pause and resume them.",
        subcommands: [
            ListGroupsCommand.self, ShowGroupCommand.self, PauseGroupCommand.self, ResumeGroupCommand.self,
        ],
        defaultSubcommand: ListGroupsCommand.self)
}
