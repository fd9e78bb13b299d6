import Testing

@testable import KiteQCore

@Suite struct WindowPaceTests {
    private static let second: MonotonicTime = 1_000_000_000

    @Test func itIsAllAtFirst() {
        #expect(WindowPace(most: 512, span: Self.second, now: 0).limit == 512)
    }

    /// What it answered within the time of a delivery, and a little less.
    @Test func timeOutsShrinkItToWhatTheClientCanDo() {
        var pace = WindowPace(most: 512, span: Self.second, now: 0)
        for step in 1...100 { pace.answered(inTime: true, now: Self.second / 100 * MonotonicTime(step) - 1) }
        pace.timedOut(now: Self.second)
        #expect(pace.limit == 75)
    }

    @Test func lateAnswersShowWhatAClientCanDoToo() {
        var pace = WindowPace(most: 512, span: Self.second, now: 0)
        for _ in 1...100 { pace.answered(inTime: false, now: Self.second / 2) }
        pace.timedOut(now: Self.second)
        #expect(pace.limit == 75)
    }

    @Test(arguments: [1, 15, 16, 17, 512]) func aClientThatAnswersNothingIsStillTried(most: Int) {
        var pace = WindowPace(most: most, span: Self.second, now: 0)
        for round in 1...10 { pace.timedOut(now: Self.second * MonotonicTime(round)) }
        #expect(pace.limit == min(most, WindowPace.least))
    }

    @Test func itGrowsBackByOneForEachFullWindow() {
        var pace = WindowPace(most: 100, span: Self.second, now: 0)
        pace.timedOut(now: Self.second)
        #expect(pace.limit == 16)
        for _ in 1...16 { pace.answered(inTime: true, now: Self.second) }
        #expect(pace.limit == 17)
        for _ in 1...10_000 { pace.answered(inTime: true, now: Self.second) }
        #expect(pace.limit == 100, "and never beyond")
    }

    @Test func answersOfLongAgoDoNotCount() {
        var pace = WindowPace(most: 512, span: Self.second, now: 0)
        for _ in 1...400 { pace.answered(inTime: true, now: 1) }
        pace.timedOut(now: 10 * Self.second)
        #expect(pace.limit == 16)
    }
}
