import ArgumentParser
import KiteQAdminClient

/// `kiteq top`
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch a broker: what is wrong, rates, queues, groups by what waits for them, shards, brokers.",
        discussion: """
            q or Ctrl-C ends it. Where standard output is no terminal it prints everything once. No colours with NO_COLOR. With \
            --json it prints the overview alone; kiteq groups, shards and brokers have the rest.
            """)

    @Option(help: ArgumentHelp("How often it asks: 500ms to 1h.", valueName: "duration"), transform: Self.interval)
    var interval = Duration.seconds(2)

    @Flag(help: "Print it once, and end.")
    var once = false

    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        if admin.json {
            try await admin.show(API.overview()) { _ in }
            return
        }
        try await admin.withClient(usual: .seconds(10)) { client in
            var answers = TopAnswers()
            await answers.refresh(client)
            // Who cannot be reached, or lets nobody in, is no picture to watch.
            guard answers.overview.value != nil else { throw CommandError(answers.overview.failure ?? "no answer") }
            if Terminal.size != nil, !once {
                try await TopSession.run(client, answers, interval: interval)
            } else {
                let layout = TopLayout(answers: answers, address: "\(client.configuration.address)")
                AdminOutput.print(layout.lines(size: nil).map(\.text))
            }
        }
    }

    private static func interval(_ text: String) throws -> Duration {
        let range = Duration.milliseconds(500)...Duration.seconds(3_600)
        guard let duration = DurationText.parse(text), range.contains(duration) else {
            throw ValidationError("it must be \(DurationText.allowed(range))")
        }
        return duration
    }
}
