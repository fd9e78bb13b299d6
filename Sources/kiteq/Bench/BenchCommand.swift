import ArgumentParser
import KiteQCore
import KiteQStore
import Logging
import NIOPosix

/// Measures this broker on a store, next to what the store's server does without it, in turns of one run.
///
/// It starts a broker of its own on loopback, in this process, and loads it over TCP. It fills its databases and empties
/// them: they must be its own, with `bench` in their name.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure publishing and end-to-end delivery next to raw INSERTs.",
        discussion: """
            The store's databases must be for this alone; their name contains "bench". They are migrated, filled and emptied.

              kiteq bench --store mysql://root@127.0.0.1:3306/kite_bench?shards=4

            publish: durable publishes to a group that is away; the latency is that of the store ack. end-to-end: publish, \
            deliver, acknowledge, delete; the latency is that from the publish to the delivery. With --rate the load is open: \
            latencies count from when a message should have been sent, whether or not it could be.
            """)

    @Option(help: "Where messages are stored (KITEQ_STORE); memory:// measures the broker alone.")
    var store: String
    @Option(help: "What to measure, separated by commas: raw, publish, end-to-end.")
    var mode = "raw,publish,end-to-end"
    @Option(help: "Connections that publish, and as many that consume.")
    var connections = 4
    @Option(help: "Publishes of each connection that await their store ack.")
    var outstanding = 1_000
    @Option(help: "Bytes of a message's body.")
    var size = 512
    @Option(help: "Seconds of each measurement, after a second to warm up.")
    var duration = 5
    @Option(help: "Times that everything is measured, in turn; figures are medians.")
    var rounds = 3
    @Option(help: "Messages a second in all; without it as fast as it goes.")
    var rate: Int?
    @Flag(help: "Print the figures as JSON.")
    var json = false

    mutating func validate() throws {
        let known = Set(BenchMode.allCases.map(\.rawValue))
        let unknown = mode.split(separator: ",").filter { !known.contains(String($0)) }
        guard unknown.isEmpty, !mode.isEmpty else {
            throw ValidationError("--mode is some of \(known.sorted().joined(separator: ", ")), separated by commas")
        }
        for (name, value, range) in [
            ("connections", connections, 1...1_000), ("outstanding", outstanding, 1...100_000),
            ("size", size, 8...2_000_000),
            ("duration", duration, 1...3_600), ("rounds", rounds, 1...100), ("rate", rate ?? 1, 1...10_000_000),
        ] where !range.contains(value) {
            throw ValidationError("--\(name) is from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    mutating func run() async throws {
        let modes = mode.split(separator: ",").compactMap { BenchMode(rawValue: String($0)) }
        let plan = BenchPlan(
            connections: connections, outstanding: outstanding, size: size, duration: .seconds(duration), rate: rate)
        var logger = Logger(label: "kiteq.bench")
        logger.logLevel = .warning
        let target = try BenchTarget(url: store, logger: logger)
        try await target.prepare()
        var report = BenchReport(plan: plan, store: target.summary)
        for round in 1...rounds {
            for mode in modes {
                guard let figures = try await measure(mode, plan, target, logger) else { continue }
                report.add(figures, mode: mode)
                StandardError.write("round \(round) of \(rounds): \(mode.rawValue): \(figures.line)\n")
            }
        }
        StandardOutput.print(json ? report.json : report.table)
    }

    private func measure(
        _ mode: BenchMode, _ plan: BenchPlan, _ target: BenchTarget, _ logger: Logger
    ) async throws -> BenchFigures? {
        switch mode {
        case .raw:
            return try await target.measureRaw(plan)
        case .publish, .endToEnd:
            try await target.empty()
            let load = BenchLoad(plan: plan, mode: mode)
            let figures = try await BenchBroker(store: target.makeStore(), logger: logger).run { address in
                try await load.run(against: address)
            }
            try await target.empty()
            return figures
        }
    }
}

enum BenchMode: String, CaseIterable, Sendable {
    case raw
    case publish
    case endToEnd = "end-to-end"
}

/// What is measured.
struct BenchPlan: Sendable {
    var connections: Int
    var outstanding: Int
    var size: Int
    var duration: Duration
    /// Messages a second in all; nil: as fast as it goes.
    var rate: Int?
}
