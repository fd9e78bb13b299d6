import Foundation

/// The samples of all rounds, as a table for people and as JSON for scripts.
struct BenchReport {
    let plan: BenchPlan
    let store: String
    private var samples: [BenchWork: [BenchSample]] = [:]

    init(plan: BenchPlan, store: String) {
        self.plan = plan
        self.store = store
    }

    mutating func add(_ sample: BenchSample, of work: BenchWork) { samples[work, default: []].append(sample) }

    private struct Row: Encodable {
        var work: String
        /// Medians of the rounds.
        var value: Double
        var against: Double?
        var result: Double
        var lowest: Double
        var highest: Double
        var target: String
        var isMet: Bool
        var samples: [[Double?]]
    }

    private var rows: [(work: BenchWork, row: Row)] {
        BenchWork.allCases.compactMap { work in
            guard let samples = samples[work], !samples.isEmpty else { return nil }
            let results = samples.map(\.result)
            let against = samples.compactMap(\.against)
            let row = Row(
                work: work.rawValue, value: median(samples.map(\.value)),
                against: against.isEmpty ? nil : median(against),
                result: median(results), lowest: results.min() ?? 0, highest: results.max() ?? 0,
                target: "\(work.target)", isMet: work.target.isMet(median(results)),
                samples: samples.map { [$0.value, $0.against] })
            return (work, row)
        }
    }

    var table: String {
        let rounds = samples.values.map(\.count).max() ?? 0
        var lines = [
            "\(store); \(plan.connections) connections, \(plan.outstanding) outstanding each, \(plan.size)-byte bodies, "
                + "\(plan.duration) each, latencies at \(plan.rate) a second, medians of \(rounds)",
            "",
            "| work | | against | | ratio | lowest to highest | target | |",
            "| --- | ---: | --- | ---: | ---: | --- | --- | --- |",
        ]
        for (work, row) in rows {
            let ratio = row.against == nil ? "" : text(row.result)
            lines.append(
                "| \(work.title) | \(figure(row.value)) | \(work.against) | \(row.against.map(figure) ?? "") | \(ratio) "
                    + "| \(text(row.lowest)) to \(text(row.highest)) | \(row.target) | \(row.isMet ? "met" : "missed") |"
            )
        }
        return lines.joined(separator: "\n")
    }

    func json() throws -> Data {
        struct Report: Encodable {
            var store: String
            var connections, outstanding, bodyBytes: Int
            var seconds: Double
            var rate, waiting, idleConnections: Int
            var works: [Row]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(
            Report(
                store: store, connections: plan.connections, outstanding: plan.outstanding, bodyBytes: plan.size,
                seconds: plan.duration / .seconds(1), rate: plan.rate, waiting: plan.waiting,
                idleConnections: plan.idleConnections, works: rows.map(\.row)))
    }

    /// Rates are large and whole, times small.
    private func figure(_ value: Double) -> String { value >= 1_000 ? text(value.rounded(), 0...0) : text(value) }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        if sorted.isEmpty { return 0 }
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
