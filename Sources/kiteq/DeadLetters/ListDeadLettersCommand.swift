import ArgumentParser
import KiteQCore
import KiteQStore

/// `kiteq dead-letters list`
struct ListDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List dead letters, oldest first.",
        discussion: """
              kiteq dead-letters list --store mysql://kite@db/kite?shards=4 --group s-trade --newer-than 1d
            """)

    @OptionGroup(title: "Filter") var filter: DeadLetterFilterArguments

    @Option(help: ArgumentHelp("At most so many.", valueName: "n"))
    var limit = 50

    @Option(help: ArgumentHelp("Go on where a list with the same filter ended, as it said.", valueName: "cursor"))
    var after: DeadLetterCursor?

    @Flag(help: "Print each as a JSON object; times are Unix milliseconds.")
    var json = false

    @OptionGroup(title: "Store") var databases: StoreArguments

    /// Letters read at a time.
    private static let pageSize = 500

    func validate() throws {
        guard (1...100_000).contains(limit) else { throw ValidationError("--limit takes a number from 1 to 100000.") }
    }

    func run() async throws {
        let (configuration, log) = try databases.load(lacking: "dead letters that a command could reach")
        let cursor = try await DeadLetterStore.with(configuration, logger: ProcessWide.bootstrap(log)) { store in
            let filter = filter.filter(now: try await store.now())
            var letters: [DeadLetter] = []
            var cursor = after
            repeat {
                let page = try await store.list(
                    filter, after: cursor, limit: min(limit - letters.count, Self.pageSize))
                cursor = page.next
                if json { for letter in page.letters { StandardOutput.print(DeadLetterJSON(letter).line) } }
                letters += page.letters
            } while letters.count < limit && cursor != nil
            if !json { StandardOutput.print(DeadLetterTable(letters).text) }
            guard let next = cursor else { return DeadLetterCursor?.none }
            // What was asked for is full: say so only where something follows.
            return try await store.list(filter, after: next, limit: 1).letters.isEmpty ? nil : next
        }
        if let cursor { StandardError.write("kiteq: there are more: --after \(cursor)\n") }
    }
}

extension DeadLetterCursor: ExpressibleByArgument {}
