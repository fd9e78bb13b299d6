import Testing

@testable import KiteQCore

@Suite struct WarmUpTests {
    private static let second: MonotonicTime = 1_000_000_000

    @Test(arguments: [Int.min, -1, 0]) func withoutATimeItIsWarmAtOnce(_ seconds: Int) {
        let warmUp = WarmUp(seconds: seconds, start: 77)
        #expect(warmUp.warmAt == 77)
        #expect(warmUp.weight(now: 77) == WarmUp.full)
        #expect(warmUp.weight(now: 76) == 0)
    }

    @Test(arguments: [1, 2, 60, 3_600, 86_400]) func risesLinearly(_ seconds: Int) {
        let start: MonotonicTime = 123
        let duration = MonotonicTime(seconds) * Self.second
        let warmUp = WarmUp(seconds: seconds, start: start)
        #expect(warmUp.weight(now: start - 1) == 0)
        #expect(warmUp.weight(now: start) == 0)
        #expect(warmUp.weight(now: start + duration / 2) == 512)
        #expect(warmUp.weight(now: start + duration - 1) == 1_023)
        #expect(warmUp.weight(now: start + duration) == 1_024)
        #expect(warmUp.weight(now: .max) == 1_024)
        for step in 0...1_024 as ClosedRange<MonotonicTime> {
            let time = start + (duration * step + 1_023) / 1_024
            #expect(warmUp.weight(now: time) == UInt32(step))
        }
    }

    @Test(arguments: [86_401, Int.max]) func moreThanADayCountsAsADay(_ seconds: Int) {
        #expect(WarmUp(seconds: seconds, start: 0) == WarmUp(seconds: 86_400, start: 0))
    }
}
