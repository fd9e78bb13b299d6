import SeededRandom
import Testing

@testable import KiteQCore

@Suite struct TokenBucketTests {
    private static let second: MonotonicTime = 1_000_000_000

    @Test(
        arguments: [
            (Int.min, nil, 1, 1), (-1, nil, 1, 1), (0, nil, 1, 1), (1, nil, 1, 1), (2, nil, 2, 1), (3, nil, 3, 1),
            (4, nil, 4, 2), (6_000, nil, 6_000, 3_000), (10_000_000, nil, 10_000_000, 5_000_000),
            (.max, nil, 1_000_000_000, 500_000_000), (100, 0, 100, 1), (100, -1, 100, 1), (100, 1, 100, 1),
            (100, 500, 100, 500), (100, .max, 100, 1_000_000_000),
        ] as [(Int, Int?, Int, Int)])
    func startsFullWithinItsBounds(_ rate: Int, _ burst: Int?, _ rateGot: Int, _ burstGot: Int) {
        var bucket = TokenBucket(rate: rate, burst: burst)
        #expect(bucket.rate == rateGot && bucket.burst == burstGot)
        #expect(bucket.take(upTo: .max, now: 5) == burstGot)
        #expect(bucket.take(upTo: 1, now: 5) == 0)
    }

    @Test func takesWhatThereIs() {
        var bucket = TokenBucket(rate: 10)
        #expect(bucket.take(upTo: 0, now: 0) == 0)
        #expect(bucket.take(upTo: -1, now: 0) == 0)
        #expect(bucket.take(upTo: 3, now: 0) == 3)
        #expect(bucket.take(upTo: 3, now: 0) == 2)
        #expect(bucket.take(upTo: 1, now: Self.second / 10 - 1) == 0)
        #expect(bucket.take(upTo: 9, now: Self.second / 10) == 1)
        #expect(bucket.take(upTo: 9, now: Self.second * 3 / 10) == 2)
        #expect(bucket.take(upTo: 9, now: Self.second * 30) == 5)
    }

    @Test(arguments: [1, 2, 3, 7, 999, 6_000, 999_983, 10_000_000])
    func neitherLosesNorGainsByBeingAsked(_ rate: Int) {
        var random = SplitMix64(seed: UInt64(rate))
        var bucket = TokenBucket(rate: rate, burst: max(2, rate / 2))
        var now: MonotonicTime = 1_000
        let start = now
        var taken = bucket.take(upTo: .max, now: now)
        #expect(taken == bucket.burst)
        for _ in 0..<50_000 {
            // Short enough that it never fills up and so loses none.
            now += .random(in: 0...max(1, Self.second / Int64(rate) / 3), using: &random)
            taken += bucket.take(upTo: .max, now: now)
            let expected = Int128(bucket.burst) + Int128(rate) * Int128(now - start) / 1_000_000_000
            guard Int128(taken) == expected else {
                Issue.record("took \(taken), not \(expected), at \(now): \(bucket)")
                return
            }
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>) func neverGivesMoreThanBurstAndRate(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let rate = Int.random(in: 1...(seed < 5 ? 100 : 10_000_000), using: &random)
        var bucket = TokenBucket(
            rate: rate, burst: seed.isMultiple(of: 2) ? nil : .random(in: 1...1_000, using: &random))
        var now: MonotonicTime = 0
        // The most that was taken since any moment, less what the rate brought since: at most the burst.
        var debt: Int128 = 0
        for _ in 0..<20_000 {
            let step = MonotonicTime.random(in: 0...(2 << Int.random(in: 0...36, using: &random)), using: &random)
            now += step
            debt = max(0, debt - Int128(step) * Int128(rate))
            let wanted = Int.random(in: 0...(2 << Int.random(in: 0...22, using: &random)), using: &random)
            let taken = bucket.take(upTo: wanted, now: now)
            debt += Int128(taken) * 1_000_000_000
            guard taken <= wanted, debt <= Int128(bucket.burst) * 1_000_000_000 else {
                Issue.record("took \(taken) of \(wanted) at \(now): \(bucket)")
                return
            }
        }
    }

    @Test(arguments: [1, 6_000, 10_000_000, 1_000_000_000]) func aLongPauseOnlyFills(_ rate: Int) {
        for pause in [Self.second * 86_400 * 10, Self.second * 86_400 * 365 * 100, .max] as [MonotonicTime] {
            var bucket = TokenBucket(rate: rate)
            _ = bucket.take(upTo: .max, now: 0)
            #expect(bucket.take(upTo: .max, now: pause) == bucket.burst)
            #expect(bucket.take(upTo: .max, now: pause) == 0)
        }
        var bucket = TokenBucket(rate: rate)
        _ = bucket.take(upTo: .max, now: .min)
        #expect(bucket.take(upTo: .max, now: .max) == bucket.burst)
    }

    @Test func aClockThatStandsOrGoesBackBringsNothing() {
        var bucket = TokenBucket(rate: 10)
        #expect(bucket.take(upTo: 5, now: Self.second) == 5)
        #expect(bucket.take(upTo: 5, now: 0) == 0)
        #expect(bucket.take(upTo: 5, now: Self.second) == 0)
        #expect(bucket.nextAvailable(now: 0) == Self.second * 11 / 10)
        #expect(bucket.take(upTo: 5, now: Self.second * 11 / 10) == 1)
    }

    @Test(arguments: [1, 3, 7, 999, 6_000, 999_983, 10_000_000, 1_000_000_000])
    func saysExactlyWhenTheNextComes(_ rate: Int) throws {
        var random = SplitMix64(seed: UInt64(rate))
        var bucket = TokenBucket(rate: rate)
        #expect(bucket.nextAvailable(now: 9) == nil)
        #expect(bucket.nextAvailable(.max, now: 9) == nil)
        var now: MonotonicTime = 9
        for _ in 0..<2_000 {
            _ = bucket.take(upTo: .max, now: now)
            let count = Int.random(in: 1...min(3, bucket.burst), using: &random)
            let next = try #require(bucket.nextAvailable(count, now: now))
            #expect(next > now)
            var (before, after) = (bucket, bucket)
            #expect(before.take(upTo: count, now: next - 1) < count)
            #expect(after.take(upTo: count, now: next) >= count)
            now = next + .random(in: 0...1_000, using: &random)
        }
    }

    @Test func whatIsOverTheBurstIsNotCarriedOn() {
        // A third of a second is no whole number of nanoseconds: the last brings 2 billionths too many.
        var bucket = TokenBucket(rate: 3, burst: 1)
        #expect(bucket.take(upTo: 1, now: 0) == 1)
        #expect(bucket.take(upTo: 1, now: 333_333_334) == 1)
        #expect(bucket.nextAvailable(now: 333_333_334) == 666_666_668)
    }

    @Test func askingForMoreThanTheBurstMeansTheBurst() {
        var bucket = TokenBucket(rate: 10)
        _ = bucket.take(upTo: 5, now: 0)
        #expect(bucket.nextAvailable(5, now: 0) == Self.second / 2)
        #expect(bucket.nextAvailable(.max, now: 0) == Self.second / 2)
        #expect(bucket.nextAvailable(0, now: 0) == nil)
        #expect(bucket.nextAvailable(-1, now: 0) == nil)
    }

    @Test func takesBackUpToTheBurst() {
        var bucket = TokenBucket(rate: 10)
        #expect(bucket.take(upTo: 4, now: 0) == 4)
        bucket.giveBack(2)
        bucket.giveBack(-1)
        #expect(bucket.take(upTo: 9, now: 0) == 3)
        bucket.giveBack(.max)
        #expect(bucket.take(upTo: 9, now: 0) == 5)
    }

    @Test func aNewRateKeepsWhatPartWasFull() {
        var bucket = TokenBucket(rate: 200)
        #expect(bucket.take(upTo: 75, now: 0) == 75)
        bucket.setRate(2_000, now: 0)
        #expect(bucket.rate == 2_000 && bucket.burst == 1_000)
        #expect(bucket.take(upTo: .max, now: 0) == 250)
        bucket.setRate(20, now: 0)
        #expect(bucket.take(upTo: .max, now: 0) == 0)
        #expect(bucket.take(upTo: .max, now: Self.second / 4) == 5)
        bucket.setRate(20, burst: 40, now: Self.second * 100)
        #expect(bucket.take(upTo: .max, now: Self.second * 100) == 40)
    }

    @Test func changingTheRateOverAndOverGivesNothingAway() {
        var bucket = TokenBucket(rate: 1_000_000_000, burst: 1_000_000_000)
        #expect(bucket.take(upTo: 999_999_999, now: 0) == 999_999_999)
        for _ in 0..<1_000 {
            bucket.setRate(1, now: 0)
            bucket.setRate(1_000_000_000, burst: 1_000_000_000, now: 0)
        }
        #expect(bucket.take(upTo: .max, now: 0) <= 1)
    }

    @Test func theTimeBeforeAChangeCountsAtTheOldRate() {
        var bucket = TokenBucket(rate: 10, burst: 100)
        _ = bucket.take(upTo: 100, now: 0)
        bucket.setRate(1_000, burst: 100, now: Self.second * 2)
        #expect(bucket.take(upTo: .max, now: Self.second * 2) == 20)
        #expect(bucket.take(upTo: .max, now: Self.second * 2 + Self.second / 100) == 10)
    }
}
