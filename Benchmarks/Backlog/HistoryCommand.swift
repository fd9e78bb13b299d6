import ArgumentParser
import Foundation
import KiteQ

/// Steady publishing and consuming: what is inserted is deleted at once, and the undo of both must be purged as fast.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Sample the history list length under a steady load.")

    @OptionGroup var stage: StageArguments
    @Option(help: "Messages a second.")
    var rate = 3_000
    @Option(help: "How long.")
    var minutes = 3
    @Option(help: "Seconds between two samples.")
    var every = 10

    private static let group = "s-steady"
    private static let type = "steady"

    func run() async throws {
        try await Stage.run(stage) { stage in
            let broker = try stage.broker(1)
            try await broker.start()
            let subscription = Subscription(topic: Stage.topic, .messageType(Self.type), watermark: 100_000)
            try await Clients.bind(Self.group, [subscription], on: stage, broker.address)
            let arrived = Tally()
            let consumer = try Consumer(
                Clients.configuration(Self.group, [broker.address]), subscriptions: [subscription], logger: quiet
            ) { _ in arrived.add() }
            let fill = stage.tool(
                "fill",
                [
                    "fill", "--brokers", broker.address, "--type", Self.type, "--count",
                    "\(rate * 60 * minutes)", "--size", "512", "--rate", "\(rate)",
                ], ready: "ready")
            try await Clients.running([consumer]) {
                try await fill.start()
                print("| s | delivered | rows | history list | broker MiB |\n| ---: | ---: | ---: | ---: | ---: |")
                let start = ContinuousClock.now
                for sample in 1... {
                    try await Task.sleep(until: start + .seconds(sample * every))
                    print(
                        "| \(sample * every) | \(arrived.count) | \(try await stage.tables.rows("kite_message")) | "
                            + "\(try await stage.tables.historyLength()) | \(try broker.memory.now) |")
                    if fill.pid == nil { break }
                }
                if let failure = await fill.end(within: .seconds(1)) {
                    throw BacklogError("\(failure): \(fill.lastWords)")
                }
            }
            print("\n" + StatementFigures.table(try await stage.tables.statements()))
            try await broker.stop()
        }
    }
}
