import CoreMetrics
import Synchronization

/// A distribution in fixed buckets: a timer, in seconds, or an aggregating recorder, in what it records.
final class PrometheusHistogram: TimerHandler, RecorderHandler {
    struct Snapshot: Sendable, Hashable {
        /// How many were at most each bound; not cumulative, one more than there are bounds.
        var counts: [UInt64]
        var sum: Double

        var count: UInt64 { counts.reduce(0, +) }
    }

    /// Half a millisecond, a store ack on a quiet machine, to a minute.
    static let seconds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// For counts and bytes: powers of four, to 16 Mi.
    static let amounts = (0...12).map { Double(1 << (2 * $0)) }

    let bounds: [Double]
    private let state: Mutex<Snapshot>

    /// - Parameter bounds: upper bounds, rising; one more bucket takes what is above.
    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(Snapshot(counts: Array(repeating: 0, count: bounds.count + 1), sum: 0))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    /// What is not a number is left out: it would spoil the sum for good.
    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    var snapshot: Snapshot { state.withLock { $0 } }
}
