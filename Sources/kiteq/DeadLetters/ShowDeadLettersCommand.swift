import ArgumentParser
import KiteQAdminClient

/// `kiteq dead-letters show`
struct ShowDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show dead letters whole: properties and body.",
        discussion: "Ends with status 1 where there is no such dead letter.")

    @Argument(help: "SHARD:ID as list shows it, or a message id.")
    var ids: [DeadLetterReference]

    @Option(help: "Of a message id: the letter of this group alone.")
    var group: String?

    @OptionGroup(title: "Administration") var admin: AdminArguments

    func validate() throws {
        if let group { try ClientArguments.check(group, "--group") }
    }

    func run() async throws {
        try await admin.withClient { client in
            var isFirst = true
            for id in ids {
                let letters = try await id.letters(client, group: group)
                guard !letters.isEmpty else {
                    throw CommandError("there is no dead letter \(id)\(group.map { " of \($0)" } ?? "")")
                }
                // One at a time: a body can be long.
                for letter in letters {
                    if admin.json {
                        AdminOutput.print(try await client.json(API.deadLetter(letter)))
                    } else {
                        let lines = DeadLetterText.lines(try await client.send(API.deadLetter(letter)))
                        AdminOutput.print((isFirst ? [] : [""]) + lines)
                    }
                    isFirst = false
                }
            }
        }
    }
}
