import ArgumentParser
import KiteQCore
import KiteQStore

/// `kiteq dead-letters show`
struct ShowDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show dead letters whole: header, properties and body.",
        discussion: "Ends with status 1 where there is no such dead letter.")

    @Argument(help: "SHARD:ID as list shows it, or a message id.")
    var ids: [DeadLetterReference]

    @Option(help: "Of a message id: the letter of this group alone.")
    var group: String?

    @Flag(help: "Print each as a JSON object; times are Unix milliseconds. A body that is not text is bodyHex.")
    var json = false

    @OptionGroup(title: "Store") var databases: StoreArguments

    func validate() throws {
        if let group { try ClientArguments.check(group, "--group") }
    }

    func run() async throws {
        let (configuration, log) = try databases.load(lacking: "dead letters that a command could reach")
        try await DeadLetterStore.with(configuration, logger: ProcessWide.bootstrap(log)) { store in
            var isFirst = true
            for id in ids {
                var isShown = false
                // One at a time: a body has up to 2 MiB.
                for letter in try await id.letters(in: store, group: group) {
                    guard let content = try await store.content(of: letter.id) else { continue }
                    let message = DeadLetterMessage(letter, content)
                    if json {
                        StandardOutput.print(DeadLetterJSON(letter, message).line)
                    } else {
                        StandardOutput.print((isFirst ? "" : "\n") + message.text(letter))
                    }
                    (isFirst, isShown) = (false, true)
                }
                if !isShown { throw CommandError("there is no dead letter \(id)\(group.map { " of \($0)" } ?? "")") }
            }
        }
    }
}
