import Testing

@testable import KiteQCore

@Suite struct OldestPendingTests {
    @Test func theOldestCounts() {
        var pending = OldestPending()
        var times = LatencyHistogram()
        #expect(pending.age(now: 0) == nil)
        pending.take(3, now: 1_000_000_000)
        pending.take(2, now: 2_000_000_000)
        #expect(pending.age(now: 3_000_000_000) == 2_000_000_000)
        pending.finish(2, now: 3_000_000_000, &times)
        #expect(pending.age(now: 3_000_000_000) == 2_000_000_000, "one of them is left")
        pending.finish(2, now: 3_000_000_000, &times)
        #expect(pending.age(now: 3_000_000_000) == 1_000_000_000)
        pending.finish(1, now: 3_000_000_000, &times)
        #expect(pending.age(now: 3_000_000_000) == nil)
        #expect(times.count == 5)
    }

    @Test func batchesOfOneMomentAreOne() {
        var pending = OldestPending()
        var times = LatencyHistogram()
        for step in 0..<5 { pending.take(1, now: MonotonicTime(step) * OldestPending.grain / 10) }
        pending.finish(4, now: OldestPending.grain, &times)
        #expect(pending.age(now: OldestPending.grain) == OldestPending.grain)
        pending.finish(1, now: OldestPending.grain, &times)
        #expect(pending.age(now: OldestPending.grain) == nil)
        pending.take(0, now: 0)
        #expect(pending.age(now: 0) == nil)
    }
}
