import ArgumentParser
import Foundation
import LocalServers

/// A group that is away while a great many messages come for it, its return, and what other groups feel of it.
///
/// Two databases with a broker each: one gets the backlog, the other stays empty. The same load runs on them in turn, so that
/// what else runs on the machine meets both.
struct WaitingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waiting", abstract: "Let messages wait for an absent group, and let it return.")

    @OptionGroup var stage: StageArguments
    @Option(help: "Messages that wait.")
    var messages = 1_000_000
    @Option(help: "Bytes of their bodies.")
    var size = 100
    @Option(help: "Publishes of the backlog a second, at most.")
    var fillRate = 10_000
    @Option(help: "The absent group's watermark, messages a second; the broker's default where it is not given.")
    var watermark: Int?
    @Option(help: "Messages a second of the group whose latency is taken.")
    var probeRate = 300
    @Option(help: "Seconds of each turn of that group at one of the brokers.")
    var turn = 3
    @Option(help: "Pairs of turns while the messages wait.")
    var pairs = 15

    private static let group = "s-away"
    private static let type = "away"

    func run() async throws {
        let bindings = [
            StageBinding(group: Self.group, type: Self.type, watermark: watermark),
            StageBinding(group: LatencyProbe.group, type: LatencyProbe.type),
        ]
        try await Stage.run(stage, bindings) { full in
            try await Stage.run(stage, bindings) { empty in
                let (broker, other) = (try full.broker(), try empty.broker())
                try await broker.start()
                try await other.start()
                try await LatencyProbe.running(broker, rate: probeRate) { probe in
                    try await LatencyProbe.running(other, rate: probeRate) { reference in
                        let run = WaitingRun(
                            stage: full, broker: broker, probe: probe, reference: reference, turn: .seconds(turn))
                        try await phases(run)
                        say(run.table)
                    }
                }
                try await broker.stop()
                try await other.stop()
            }
        }
    }

    private func phases(_ run: WaitingRun) async throws {
        let common = ["--broker", run.broker.address, "--type", Self.type, "--count", "\(messages)"]
        try await run.phase("both empty", atLeast: pairs) { true }

        let fill = run.stage.tool(["fill", "--size", "\(size)", "--rate", "\(fillRate)"] + common)
        try await fill.start()
        try await run.phase("they come") { fill.pid == nil }
        if let failure = await fill.end(within: .seconds(1)) { throw BacklogError("\(failure): \(fill.lastWords)") }

        try await run.phase("they wait", atLeast: pairs) { true }

        let drain = run.stage.tool(["drain", "--group", Self.group, "--shards", "\(stage.shards)"] + common)
        try await drain.start()
        try await run.phase("they go") {
            guard drain.pid != nil else { throw BacklogError("the drain ended: \(drain.lastWords)") }
            return try String(contentsOfFile: drain.log, encoding: .utf8).contains(DrainCommand.mark)
        }
        try await until("nothing is left", within: .seconds(60)) { try await run.stage.tables.messages == 0 }
        say(try String(contentsOfFile: drain.log, encoding: .utf8).split(separator: "\n").last.map(String.init) ?? "")
        await drain.kill()

        try await run.phase("they are gone", atLeast: pairs) { true }
    }
}
