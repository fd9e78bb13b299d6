import ArgumentParser
import KiteQCore
import KiteQStore

/// `kiteq dead-letters delete`
struct DeleteDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete dead letters for good.",
        discussion: """
            To delete an undecided half message is to roll it back; a filter finds such only with --reason undecided. With a \
            filter --yes must be said. Ends with status 1 where a letter that was named is not there.

              kiteq dead-letters delete 0:17
              kiteq dead-letters delete --topic feed --older-than 7d --yes
            """)

    @OptionGroup var selection: DeadLetterSelection

    @Flag(help: "Do it: needed where a filter or --all says which.")
    var yes = false

    @Flag(help: "Print each that was deleted as a JSON object.")
    var json = false

    @OptionGroup(title: "Store") var databases: StoreArguments

    func validate() throws {
        if selection.ids.isEmpty, !yes {
            throw ValidationError("See with list what the filter finds, then add --yes: it is deleted for good.")
        }
    }

    func run() async throws {
        let (configuration, log) = try databases.load(lacking: "dead letters that a command could reach")
        try await DeadLetterStore.with(configuration, logger: ProcessWide.bootstrap(log)) { store in
            var (done, missing) = (0, [String]())
            let hasMore = try await selection.forEachPage(in: store) { id, letters in
                let deleted = try await store.delete(letters.map(\.id))
                if let id, deleted.isEmpty { missing.append("\(id)") }
                done += deleted.count
                guard json || id != nil else { return }
                for letter in letters where deleted.contains(letter.id) {
                    StandardOutput.print(json ? "{\"id\":\"\(letter.id)\",\"deleted\":true}" : "\(letter.id) deleted")
                }
            }
            if selection.ids.isEmpty, !json { StandardOutput.print("\(done) deleted") }
            if hasMore { StandardError.write("kiteq: there are more: run it again, or with a greater --limit\n") }
            if !missing.isEmpty { throw CommandError("there is no dead letter \(missing.joined(separator: ", "))") }
        }
    }
}
