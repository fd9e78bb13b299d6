/// How long things took, in fixed buckets: to record one costs a division, a count of leading zeros and an increment.
///
/// The bounds double from 100 µs (an answer on a quiet machine) to 52.4288 s (longer than anything is waited for).
package struct LatencyHistogram: Sendable {
    package static let bucketCount = 21
    /// The first upper bound, in nanoseconds.
    private static let unit: UInt64 = 100_000

    /// How many took at most each bound and longer than the one before; the last has what is above all bounds.
    package private(set) var counts = InlineArray<21, UInt64>(repeating: 0)
    /// Of all durations, in nanoseconds.
    package private(set) var sum: UInt64 = 0

    package init() {}

    /// Upper bounds in seconds, rising; the last bucket has none.
    package static let bounds = (0..<bucketCount - 1).map { Double(unit << UInt64($0)) / 1e9 }

    package var count: UInt64 { counts.indices.reduce(0) { $0 + counts[$1] } }

    /// - Parameter duration: in nanoseconds; below 0, which only a clock that goes back can give, counts as 0.
    package mutating func record(_ duration: MonotonicTime, times: Int = 1) {
        let duration = UInt64(max(0, duration))
        let doublings = UInt64.bitWidth - ((max(1, duration) - 1) / Self.unit).leadingZeroBitCount
        counts[min(doublings, Self.bucketCount - 1)] += UInt64(times)
        sum &+= duration &* UInt64(times)
    }

    /// Adds what another one has.
    package mutating func add(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sum &+= other.sum
    }
}
