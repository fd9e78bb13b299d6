import ArgumentParser
import LocalServers

/// Steady publishing and consuming: what is inserted is deleted at once, and the undo of both must be purged as fast.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Sample the history list length under a steady load.")

    @OptionGroup var stage: StageArguments
    @Option(help: "Messages a second.")
    var rate = 2_000
    @Option(help: "How long.")
    var minutes = 4
    @Option(help: "Seconds between two samples.")
    var every = 10

    private static let group = "s-steady"
    private static let type = "steady"

    func run() async throws {
        try await Stage.run(stage, [.init(group: Self.group, type: Self.type)]) { stage in
            let broker = try stage.broker()
            try await broker.start()
            let common = ["--broker", broker.address, "--type", Self.type, "--count", "\(rate * 60 * minutes)"]
            let drain = stage.tool(["drain", "--group", Self.group, "--shards", "\(self.stage.shards)"] + common)
            let fill = stage.tool(["fill", "--size", "512", "--rate", "\(rate)"] + common)
            try await drain.start()
            try await fill.start()
            say("| s | rows | history list | broker MiB |\n| ---: | ---: | ---: | ---: |")
            let start = ContinuousClock.now
            for sample in 1... {
                try await Task.sleep(until: start + .seconds(sample * every))
                let (rows, history) = (try await stage.tables.messages, try await stage.tables.historyLength)
                say("| \(sample * every) | \(rows) | \(history) | \(try broker.memory.now) |")
                if fill.pid == nil { break }
            }
            if let failure = await fill.end(within: .seconds(1)) { throw BacklogError("\(failure): \(fill.lastWords)") }
            try await until("nothing is left", within: .seconds(60)) { try await stage.tables.messages == 0 }
            await drain.kill()
            try await broker.stop()
        }
    }
}
