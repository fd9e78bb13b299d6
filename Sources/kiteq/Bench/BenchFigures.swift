import Histogram

/// What one measurement showed.
struct BenchFigures: Sendable {
    /// Messages, or rows, a second.
    var rate: Double
    /// Nanoseconds; empty for raw rows.
    var latency: Histogram<UInt64>
    /// How it was reached, where there was a choice.
    var note = ""

    init(count: Int, seconds: Double, latency: Histogram<UInt64>, note: String = "") {
        rate = Double(count) / seconds
        self.latency = latency
        self.note = note
    }

    static func makeHistogram() -> Histogram<UInt64> {
        Histogram(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    }

    func milliseconds(_ percentile: Double) -> Double {
        Double(latency.valueAtPercentile(percentile)) / 1e6
    }

    var line: String {
        var line = "\(Int(rate)) a second"
        if latency.totalCount > 0 {
            line +=
                ", p50 \(text(milliseconds(50))) ms, p99 \(text(milliseconds(99))) ms, p99.9 \(text(milliseconds(99.9))) ms"
        }
        return note.isEmpty ? line : line + " (\(note))"
    }
}

/// Two digits after the point.
func text(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
}
