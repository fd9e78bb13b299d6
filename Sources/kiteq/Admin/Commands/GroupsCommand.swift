import ArgumentParser

/// `kiteq groups`
struct GroupsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups",
        abstract: "Look at groups and what waits for them, pause, resume and unbind them.",
        subcommands: [
            ListGroupsCommand.self, ShowGroupCommand.self, PauseGroupCommand.self, ResumeGroupCommand.self,
            UnbindGroupCommand.self,
        ],
        defaultSubcommand: ListGroupsCommand.self)
}
