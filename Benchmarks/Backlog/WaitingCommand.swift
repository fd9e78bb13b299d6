import ArgumentParser
import Foundation
import KiteQ
import LocalServers

/// A group that is away while a great many messages come for it, and its return.
struct WaitingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waiting", abstract: "Let messages wait for an absent group, and let it return.")

    @OptionGroup var stage: StageArguments
    @Option(help: "Messages that wait.")
    var messages = 1_000_000
    @Option(help: "Bytes of their bodies.")
    var size = 100
    @Option(help: "Publishes of the backlog a second; 0: as fast as they are stored.")
    var fillRate = 8_000
    @Option(help: "The returning group's watermark; 0: the broker's default, 6000 a second.")
    var drainRate = 0
    @Option(help: "Messages a second of the group whose latency is taken.")
    var probeRate = 200
    @Option(help: "Seconds of each phase without a load.")
    var idle = 30

    private static let group = "s-away"
    private static let type = "away"

    func run() async throws {
        try await Stage.run(stage) { stage in
            let broker = try stage.broker(1)
            try await broker.start()
            let away = Subscription(topic: Stage.topic, .messageType(Self.type), watermark: drainRate)
            try await Clients.bind(Self.group, [away], on: stage, broker.address)
            let probe = Probe(rate: probeRate)
            try await Clients.bind(
                Probe.group, [.init(topic: Stage.topic, .messageType(Probe.type), watermark: 100_000)], on: stage,
                broker.address)
            probe.enter("warming up")
            try await probe.run(broker.address) { try await phases(stage, broker, probe) }
            print("\n" + probe.table)
            try await broker.stop()
        }
    }

    private func phases(_ stage: Stage, _ broker: BrokerProcess, _ probe: Probe) async throws {
        var memory: [String] = []
        func note(_ phase: String) async throws {
            let (now, most) = try broker.memory
            memory.append(
                "| \(phase) | \(now) | \(most) | \(try await stage.tables.rows("kite_message")) | \(try await stage.tables.historyLength()) |"
            )
        }
        try await Task.sleep(for: .seconds(5))
        try await rest(probe, "before")
        try await note("before")

        progress("publishing \(messages) messages for a group that is away")
        probe.enter("while they come")
        let fill = stage.tool(
            "fill",
            [
                "fill", "--brokers", broker.address, "--type", Self.type, "--count", "\(messages)", "--size",
                "\(size)", "--rate", "\(fillRate)",
            ], ready: "ready")
        try await finish(fill)
        try await note("after the last came")

        try await rest(probe, "while they wait")
        try await note("while they wait")
        print("Statements so far\n\n" + StatementFigures.table(try await stage.tables.statements()) + "\n")

        progress("the group returns")
        probe.enter("while they go")
        let drain = stage.tool(
            "drain",
            [
                "drain", "--brokers", broker.address, "--group", Self.group, "--type", Self.type, "--count",
                "\(messages)", "--shards", "\(self.stage.shards)",
            ], ready: "ready")
        try await drain.start()
        var noted = false
        try await Clients.until("the backlog is drained", within: .seconds(3_600), every: .seconds(1)) {
            guard drain.pid != nil else { throw BacklogError("the drain ended: \(drain.lastWords)") }
            let isDone = try text(drain).contains("drained ")
            let left = isDone ? 0 : try await stage.tables.rows("kite_message")
            if left < messages / 2, !noted {
                noted = true
                try await note("half of them are gone")
                print("Statements so far\n\n" + StatementFigures.table(try await stage.tables.statements()) + "\n")
            }
            return isDone
        }
        try await Clients.until("the tables are empty", within: .seconds(120)) {
            try await stage.tables.rows("kite_message") < Int64(probeRate)
        }
        try await note("after the last went")
        await drain.kill()
        try await rest(probe, "afterwards")
        try await note("afterwards")
        print(try text(fill).split(separator: "\n").last ?? "", "\n")
        print(try text(drain).split(separator: "\n").last ?? "", "\n")
        print("| | memory MiB | most so far MiB | rows | history list |\n| --- | ---: | ---: | ---: | ---: |")
        print(memory.joined(separator: "\n"))
    }

    private func rest(_ probe: Probe, _ phase: String) async throws {
        progress(phase)
        probe.enter(phase)
        try await Task.sleep(for: .seconds(idle))
    }

    private func finish(_ program: LocalProgram) async throws {
        try await program.start()
        try await Clients.until("the load ended", within: .seconds(3_600), every: .milliseconds(200)) {
            program.pid == nil
        }
        if let failure = await program.end(within: .seconds(1)) {
            throw BacklogError("\(failure): \(program.lastWords)")
        }
    }

    private func text(_ program: LocalProgram) throws -> String {
        try String(contentsOfFile: program.log, encoding: .utf8)
    }
}
