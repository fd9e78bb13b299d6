/// Turns of the same load at the broker with a backlog and at the one without, phase by phase.
final class WaitingRun {
    let stage: Stage
    let broker: BrokerProcess
    private let probe: LatencyProbe
    private let reference: LatencyProbe
    private let turn: Duration
    private var lines: [String] = []

    init(stage: Stage, broker: BrokerProcess, probe: LatencyProbe, reference: LatencyProbe, turn: Duration) {
        self.stage = stage
        self.broker = broker
        self.probe = probe
        self.reference = reference
        self.turn = turn
    }

    /// Pairs of turns until it is over, at least so many; a line of the table.
    func phase(_ name: String, atLeast pairs: Int = 1, isOver: () throws -> Bool) async throws {
        progress(name)
        try broker.resetPeak()
        var (with, without): ([Double], [Double]) = ([], [])
        var ratios: [Double] = []
        var history = 0
        while try ratios.count < pairs || !isOver() {
            let first = try await reference.measure(for: turn)
            let second = try await probe.measure(for: turn)
            without += first
            with += second
            ratios.append(second.percentile(0.99) / max(first.percentile(0.99), 0.001))
            history = max(history, try await stage.tables.historyLength)
        }
        let memory = try broker.memory
        lines.append(
            """
            | \(name) | \(try await stage.tables.messages) | \(without.percentile(0.5).text) | \(with.percentile(0.5).text) | \
            \(without.percentile(0.99).text) | \(with.percentile(0.99).text) | \(ratios.count) | \
            \(ratios.percentile(0.5).text) | \(memory.now) | \(memory.peak) | \(history) |
            """)
        progress(lines[lines.count - 1])
    }

    /// Milliseconds of the broker without and of the one with; the ratio is the median of the pairs' ratios of p99.
    var table: String {
        ([
            "| while | rows at its end | p50 without | p50 with | p99 without | p99 with | pairs | p99 ratio | MiB | peak MiB | history |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ] + lines).joined(separator: "\n")
    }
}
