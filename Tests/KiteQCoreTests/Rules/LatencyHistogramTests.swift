import Testing

@testable import KiteQCore

@Suite struct LatencyHistogramTests {
    private func bucket(of duration: MonotonicTime) -> Int? {
        var histogram = LatencyHistogram()
        histogram.record(duration)
        return histogram.counts.indices.first { histogram.counts[$0] == 1 }
    }

    @Test func aDurationIsInTheFirstBucketWhoseBoundItDoesNotExceed() {
        let bounds = LatencyHistogram.bounds
        #expect(bounds.count == LatencyHistogram.bucketCount - 1)
        #expect(bounds.first == 0.0001)
        #expect(bounds.last == 52.4288)
        for (index, bound) in bounds.enumerated() {
            let nanoseconds = MonotonicTime((bound * 1e9).rounded())
            #expect(bucket(of: nanoseconds) == index)
            #expect(bucket(of: nanoseconds + 1) == index + 1)
        }
        #expect(bucket(of: 0) == 0)
        #expect(bucket(of: -5) == 0)
        #expect(bucket(of: .max) == bounds.count)
    }

    @Test func sumsAndCountsAreOfAll() {
        var (a, b) = (LatencyHistogram(), LatencyHistogram())
        a.record(1_000, times: 3)
        b.record(2_000_000)
        b.record(-1)
        a.add(b)
        #expect(a.count == 5)
        #expect(a.sum == 2_003_000)
    }

    @Test func whatIsPendingCountsWithTheAgeOfItsBatch() {
        var pending = OldestPending()
        var times = LatencyHistogram()
        pending.take(2, now: 0)
        pending.take(3, now: 10_000_000)
        pending.finish(1, now: 20_000_000, &times)
        #expect(times.sum == 20_000_000)
        #expect(pending.age(now: 20_000_000) == 20_000_000)
        pending.finish(3, now: 30_000_000, &times)
        #expect(times.count == 4)
        #expect(times.sum == 90_000_000)
        #expect(pending.age(now: 30_000_000) == 20_000_000)
        pending.finish(1, now: 40_000_000, &times)
        #expect(pending.age(now: 40_000_000) == nil)
        #expect(times.sum == 120_000_000)
    }
}
