import ArgumentParser
import KiteQCore
import KiteQStore

/// `kiteq dead-letters requeue`
struct RequeueDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requeue",
        abstract: "Give dead letters back to their groups.",
        discussion: """
            The group of each letter, and no other, gets the message again, with all its attempts. To requeue an undecided half \
            message is to commit it: it goes to the groups that are bound now, or to those that --to-group names; a filter finds \
            such only with --reason undecided. Ends with status 1 where one was not requeued.

              kiteq dead-letters requeue 0:17 2:5
              kiteq dead-letters requeue --group s-trade --newer-than 2h --limit 500
            """)

    @OptionGroup var selection: DeadLetterSelection

    @Option(
        help: ArgumentHelp(
            "How long the messages live from now: 1s to 7d. Default: as long as at first, an hour at least.",
            valueName: "duration"),
        transform: Self.lifetime)
    var expiresIn: Duration?

    @Option(
        help: ArgumentHelp(
            "Who gets an undecided half message, in place of the groups that are bound. May be repeated.",
            valueName: "group"))
    var toGroup: [String] = []

    @Flag(help: "Print what became of each as a JSON object.")
    var json = false

    @OptionGroup(title: "Store") var databases: StoreArguments

    func validate() throws {
        for group in toGroup { try ClientArguments.check(group, "--to-group") }
        if !toGroup.isEmpty, selection.ids.isEmpty, selection.filter.reason != .undecided {
            throw ValidationError("--to-group is for undecided half messages: name them, or say --reason undecided.")
        }
    }

    func run() async throws {
        let (configuration, log) = try databases.load(lacking: "dead letters that a command could reach")
        try await DeadLetterStore.with(configuration, logger: ProcessWide.bootstrap(log)) { store in
            var (done, failed) = (0, 0)
            let hasMore = try await selection.forEachPage(in: store) { id, letters in
                if let id, letters.isEmpty {
                    failed += 1
                    report("\(id)", .notFound)
                }
                for letter in letters {
                    let outcome = try await store.requeue(letter.id, lifetime: expiresIn, to: toGroup)
                    if case .requeued = outcome { done += 1 } else { failed += 1 }
                    report("\(letter.id)", outcome)
                }
            }
            if selection.ids.isEmpty, !json { StandardOutput.print("\(done) requeued") }
            if hasMore { StandardError.write("kiteq: there are more: run it again, or with a greater --limit\n") }
            if failed > 0 { throw CommandError("\(failed) of \(done + failed) dead letters were not requeued") }
        }
    }

    private func report(_ id: String, _ outcome: RequeueOutcome) {
        let quoted = JSONText.quoted(id)
        switch outcome {
        case .requeued(let groups) where json:
            let names = groups.map(JSONText.quoted).joined(separator: ",")
            StandardOutput.print("{\"id\":\(quoted),\"requeued\":true,\"groups\":[\(names)]}")
        case .requeued(let groups):
            StandardOutput.print("\(id) requeued for \(groups.map(MessageLine.visible).joined(separator: ", "))")
        case .notFound: reportFailure(id, "there is no such dead letter")
        case .refused(let reason): reportFailure(id, reason)
        }
    }

    private func reportFailure(_ id: String, _ reason: String) {
        StandardOutput.print(
            json
                ? "{\"id\":\(JSONText.quoted(id)),\"requeued\":false,\"reason\":\(JSONText.quoted(reason))}"
                : "\(id) not requeued: \(MessageLine.visible(reason))")
    }

    private static func lifetime(_ text: String) throws -> Duration {
        let range = Duration.seconds(1)...Duration.milliseconds(PublishRules.maxLifetime)
        guard let duration = DurationText.parse(text), range.contains(duration) else {
            throw ValidationError("it must be \(DurationText.allowed(range))")
        }
        return duration
    }
}
