import LocalServers

/// A run's result as Markdown.
package struct MarkdownReport: Sendable {
    private let result: RunResult

    package init(_ result: RunResult) {
        self.result = result
    }

    /// One line for a fault that was injected.
    static func line(_ record: FaultRecord, number: Int, _ gauges: History.Gauges) -> String {
        let fault = record.fault
        return
            "\(MessageReport.seconds(record.start)) s: fault \(number + 1), \(fault), "
            + "\(record.publishesOpen) publishes and \(record.deliveriesOpen) deliveries open; "
            + "\(gauges.acknowledged) acknowledged, \(gauges.accepted) accepted, \(gauges.owed) owed"
    }

    package var text: String {
        ([headline, ""] + table + clusterTable + ["", figures] + problems).joined(separator: "\n") + "\n"
    }

    private var headline: String {
        let configuration = result.configuration
        let traits = configuration.traits.names
        let wishes = configuration.wishes.map { wish in
            wish.kind.rawValue + (wish.count.map { "=\($0)" } ?? "")
        }
        return
            "Seed \(configuration.seed), \(configuration.brokers) broker\(configuration.brokers == 1 ? "" : "s"), "
            + "\(configuration.shards) shards on \(database), lease \(configuration.lease), "
            + (traits.isEmpty ? "" : "load \(traits.joined(separator: ",")), ")
            + "faults \(wishes.joined(separator: ",")): **\(result.isGood ? "passed" : "FAILED")**."
    }

    private var database: String {
        let configuration = result.configuration
        guard configuration.database == .haProxy else { return configuration.database.rawValue }
        return "haproxy (\(configuration.balance.rawValue)) in front of \(configuration.behind.rawValue)"
    }

    // MARK: The table

    private var table: [String] {
        var lines = [
            "| fault | count | publishes open, min/median | deliveries open, min/median | duplicates | bound | oldest answer before |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        let byName = Dictionary(grouping: result.faults.indices) { name(of: result.faults[$0].fault) }
        for (name, indices) in byName.sorted(by: { $0.key < $1.key }) { lines.append(row(name, indices)) }
        lines.append(row("all", Array(result.faults.indices)))
        return lines
    }

    private func name(of fault: PlannedFault) -> String {
        guard fault.kind == .crashPoint else { return fault.kind.rawValue }
        return "crash at " + fault.crashPoint.prefix { $0 != ":" }
            + (fault.crashPoint.hasSuffix("not reached") ? " (not reached)" : "")
    }

    private func row(_ name: String, _ indices: [Int]) -> String {
        let records = indices.map { result.faults[$0] }
        let verdicts = indices.map { result.verdict.faults[$0] }
        return "| "
            + [
                name, "\(indices.count)", Self.spread(records.map(\.publishesOpen)),
                Self.spread(records.map(\.deliveriesOpen)), "\(verdicts.reduce(0) { $0 + $1.duplicates })",
                "\(verdicts.reduce(0) { $0 + $1.bound })",
                Self.decimal(verdicts.map(\.oldestAnswer).max() ?? 0) + " s",
            ].joined(separator: " | ") + " |"
    }

    /// What each kind of fault did to a cluster; none where the run has one server.
    private var clusterTable: [String] {
        guard result.configuration.cluster != nil else { return [] }
        var lines = [
            "",
            "| fault | count | lost | wrong | stranded | falsely refused | duplicates | brokers' longest gap, s | the cluster's own, s |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        let byName = Dictionary(grouping: result.faults.indices) { name(of: result.faults[$0].fault) }
        for (name, indices) in byName.sorted(by: { $0.key < $1.key }) { lines.append(clusterRow(name, indices)) }
        lines.append(clusterRow("all", Array(result.faults.indices)))
        return lines
    }

    private func clusterRow(_ name: String, _ indices: [Int]) -> String {
        let verdicts = indices.map { result.verdict.faults[$0] }
        func count(_ kind: Finding.Kind) -> String { "\(verdicts.reduce(0) { $0 + $1.findings[kind, default: 0] })" }
        let cells = [
            name, "\(indices.count)", count(.lost), count(.wrong), count(.stranded), count(.falselyRefused),
            "\(verdicts.reduce(0) { $0 + $1.duplicates })",
            Self.seconds(indices.compactMap { result.faults[$0].brokersGap }),
            Self.seconds(indices.compactMap { result.faults[$0].clusterGap }),
        ]
        return "| " + cells.joined(separator: " | ") + " |"
    }

    /// From the shortest to the longest.
    private static func seconds(_ gaps: [UInt32]) -> String {
        guard let least = gaps.min(), let most = gaps.max() else { return "–" }
        let (low, high) = (decimal(Double(least) / 10_000), decimal(Double(most) / 10_000))
        return low == high ? low : "\(low) to \(high)"
    }

    private static func spread(_ values: [Int]) -> String {
        let sorted = values.sorted()
        guard let least = sorted.first else { return "–" }
        return "\(least) / \(sorted[sorted.count / 2])"
    }

    private static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    // MARK: Figures

    private var figures: String {
        let verdict = result.verdict
        let seconds = result.loadTime / .seconds(1)
        return """
            Lost \(verdict.count(.lost)), stranded \(verdict.count(.stranded)), falsely refused \
            \(verdict.count(.falselyRefused)), wrongly delivered \(verdict.count(.wrong)), duplicates without a reason \
            \(verdict.count(.unexplained)), with one \(verdict.duplicates), after a repeated publish \(verdict.republished).\(lateness)\(ofTraits)

            \(verdict.messages) messages, \(result.acknowledged) acknowledged (\(Self.decimal(Double(result.acknowledged) / seconds))/s \
            with all outages), \(verdict.unknown) of unknown outcome, \(verdict.expected) to be delivered; \
            \(verdict.deliveries) deliveries (\(Self.decimal(Double(verdict.deliveries) / seconds))/s), \(verdict.buried) buried, \
            \(verdict.parked) parked as undecided. Load \(Self.decimal(seconds)) s, drain \
            \(Self.decimal(result.drainTime / .seconds(1))) s, \(result.events) events.\(longestWait)
            """
    }

    private var longestWait: String {
        guard let wait = result.verdict.longestWait else { return "" }
        return " A group waited for a message \(Self.decimal(wait.seconds)) s at the most, all outages included."
    }

    private var lateness: String {
        guard result.verdict.lateness > 0 else { return "" }
        return " A paused broker's last packets came up to \(Self.decimal(result.verdict.lateness)) s after it went on."
    }

    /// What came of what the load had besides the usual.
    private var ofTraits: String {
        let (verdict, traits) = (result.verdict, result.configuration.traits)
        var text = ""
        if result.faults.contains(where: { $0.fault.kind == .shardRestore }) {
            text += " \(verdict.putBack.count) messages are gone whose shard was put back to a state of before."
        }
        if traits.contains(.slow) { text += " Given up while a handler was at work: \(verdict.late)." }
        if traits.contains(.deadly) {
            text +=
                " \(result.connectionsLost) connections lost over a message, which took along \(verdict.takenAlong)."
        }
        if traits.contains(.ids) { text += " \(verdict.reused) ids taken once more." }
        if traits.contains(.sizes) {
            text += " The brokers' resident memory was \(result.peakMemory >> 20) MiB at the most."
        }
        return text
    }

    private var problems: [String] {
        guard !result.isGood else { return [] }
        return ["", "What is wrong:", ""] + result.complaints.map { "- \($0)" }
            + ["", "```"] + result.histories + ["```"]
    }
}
