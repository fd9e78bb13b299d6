import ArgumentParser
import KiteQAdminClient

/// `kiteq groups unbind`
struct UnbindGroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unbind",
        abstract: "End a group's bindings: it is owed nothing new.",
        discussion: """
            For a group that is gone for good. What waits for it stays until it expires. A consumer of the group that starts \
            binds it again. Where the registry is a file, the bindings are taken out there.

              kiteq groups unbind s-old --reason 'the service was shut down'
            """)

    @Argument(help: "The group's name.")
    var group: String

    @Option(help: "End its bindings to this topic alone. May be repeated. Default: to all that the broker knows.")
    var topic: [String] = []

    @OptionGroup var reason: ReasonArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func validate() throws {
        try ClientArguments.check(group, "GROUP")
        for topic in topic { try ClientArguments.check(topic, "--topic") }
        if topic.count > 100 { throw ValidationError("--topic may be repeated up to 100 times.") }
    }

    func run() async throws {
        try await admin.act(API.unbind(group: group, topics: topic, reason: reason.reason))
    }
}
