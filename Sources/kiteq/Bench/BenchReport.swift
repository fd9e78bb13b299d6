/// The figures of all rounds, as a table for people or JSON for scripts.
struct BenchReport {
    let plan: BenchPlan
    let store: String
    private var figures: [BenchMode: [BenchFigures]] = [:]

    init(plan: BenchPlan, store: String) {
        self.plan = plan
        self.store = store
    }

    mutating func add(_ figure: BenchFigures, mode: BenchMode) {
        figures[mode, default: []].append(figure)
    }

    private struct Row {
        var mode: BenchMode
        var rate: Double
        var lowest: Double
        var highest: Double
        /// Of the raw rate, as the median of the rounds.
        var ratio: Double?
        var p50: Double
        var p99: Double
        var p999: Double
    }

    private var rows: [Row] {
        BenchMode.allCases.compactMap { mode in
            guard let rounds = figures[mode], !rounds.isEmpty else { return nil }
            let rates = rounds.map(\.rate)
            let raw = figures[.raw] ?? []
            let ratios = mode == .raw ? [] : zip(rates, raw).map { $0 / $1.rate }
            return Row(
                mode: mode, rate: median(rates), lowest: rates.min() ?? 0, highest: rates.max() ?? 0,
                ratio: ratios.isEmpty ? nil : median(ratios), p50: median(rounds.map { $0.milliseconds(50) }),
                p99: median(rounds.map { $0.milliseconds(99) }), p999: median(rounds.map { $0.milliseconds(99.9) }))
        }
    }

    var table: String {
        let load = plan.rate.map { "\($0) a second" } ?? "\(plan.outstanding) outstanding each"
        var lines = [
            "\(store); \(plan.connections) connections, \(load), \(plan.size)-byte bodies, \(plan.duration) each, medians of \(figures.values.first?.count ?? 0)",
            "",
            "| work | a second | lowest to highest | of raw INSERT | p50 ms | p99 ms | p99.9 ms |",
            "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
        ]
        for row in rows {
            let latency = row.mode == .raw ? ["", "", ""] : [text(row.p50), text(row.p99), text(row.p999)]
            lines.append(
                "| \(row.mode.rawValue) | \(Int(row.rate)) | \(Int(row.lowest)) to \(Int(row.highest)) | \(row.ratio.map(text) ?? "") | \(latency.joined(separator: " | ")) |"
            )
        }
        return lines.joined(separator: "\n")
    }

    var json: String {
        let entries = rows.map { row in
            var fields = [
                "\"mode\": \"\(row.mode.rawValue)\"", "\"perSecond\": \(Int(row.rate))",
                "\"lowest\": \(Int(row.lowest))",
                "\"highest\": \(Int(row.highest))",
            ]
            if let ratio = row.ratio { fields.append("\"ofRaw\": \(text(ratio))") }
            if row.mode != .raw {
                fields += [
                    "\"p50ms\": \(text(row.p50))", "\"p99ms\": \(text(row.p99))", "\"p999ms\": \(text(row.p999))",
                ]
            }
            return "    {\(fields.joined(separator: ", "))}"
        }
        return """
            {
              "connections": \(plan.connections), "outstanding": \(plan.outstanding), "bodyBytes": \(plan.size), \
            "seconds": \(plan.duration.components.seconds), "rate": \(plan.rate.map(String.init) ?? "null"),
              "figures": [
            \(entries.joined(separator: ",\n"))
              ]
            }
            """
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        if sorted.isEmpty { return 0 }
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
