import Foundation
import Histogram

/// What one measurement showed.
struct BenchFigures: Sendable {
    /// Messages, or rows, a second.
    var rate: Double
    /// Of store acks, or of single-row commits; nanoseconds.
    var ackLatency = makeHistogram()
    /// From the publish to the delivery; nanoseconds.
    var deliveryLatency = makeHistogram()
    /// Seconds of CPU that the server of the measurement took for each message.
    var cpuPerMessage = 0.0

    static let longestLatency: Int64 = 60_000_000_000

    /// Rows that went straight into the database.
    init(rows: Int, seconds: Double) {
        rate = Double(rows) / seconds
    }

    /// - Parameter cpu: seconds that the server took meanwhile.
    init(measured: BenchHandler.Measured, isConsumed: Bool, seconds: Double, cpu: Double) {
        let count = isConsumed ? measured.delivered : measured.acknowledged
        rate = Double(count) / seconds
        ackLatency = measured.ackLatency
        deliveryLatency = measured.deliveryLatency
        cpuPerMessage = cpu / Double(max(1, count))
    }

    init(packets: Int, seconds: Double, cpu: Double) {
        rate = Double(packets) / seconds
        cpuPerMessage = cpu / Double(max(1, packets))
    }

    init(rate: Double, latency: Histogram<UInt64>) {
        self.rate = rate
        ackLatency = latency
    }

    static func makeHistogram() -> Histogram<UInt64> {
        Histogram(highestTrackableValue: UInt64(longestLatency), numberOfSignificantValueDigits: .three)
    }

    var ackP50: Double { Self.milliseconds(ackLatency, 50) }
    var ackP99: Double { Self.milliseconds(ackLatency, 99) }
    var deliveryP99: Double { Self.milliseconds(deliveryLatency, 99) }

    static func milliseconds(_ latency: Histogram<UInt64>, _ percentile: Double) -> Double {
        Double(latency.valueAtPercentile(percentile)) / 1e6
    }

    var line: String {
        var parts = ["\(Int(rate.rounded())) a second"]
        for (name, latency) in [("ack", ackLatency), ("delivery", deliveryLatency)] where latency.totalCount > 0 {
            let percentiles = [50, 99, 99.9].map { "p\(text($0, 0...1)) \(text(Self.milliseconds(latency, $0)))" }
            parts.append("\(name) \(percentiles.joined(separator: " ")) ms")
        }
        if cpuPerMessage > 0 { parts.append("server CPU \(text(cpuPerMessage * 1e6)) µs each") }
        return parts.joined(separator: ", ")
    }
}

/// At most so many digits after the point.
func text(_ value: Double, _ digits: ClosedRange<Int> = 2...2) -> String {
    value.formatted(
        .number.precision(.fractionLength(digits)).grouping(.never).locale(Locale(identifier: "en_US_POSIX")))
}
