import KiteQCore
import Testing

@testable import KiteQBroker

@Suite struct FailureStreakTests {
    private let log = CapturedLog()
    private let start = ContinuousClock.now

    private func error(_ text: String) -> StoreError { StoreError(.unavailable, text) }

    @Test func theSameReasonIsSaidOnceAMinute() {
        var streak = FailureStreak("store", log.logger)
        for tenth in 0..<1_250 { streak.add(error("gone"), now: start + .milliseconds(100 * tenth)) }
        #expect(log.lines.count == 3)
        #expect(log.lines[1].contains("(601 times)"))
        streak.end()
        #expect(log.lines.count == 4)
        #expect(log.lines[3].contains("can store again after 1250 failures"))
    }

    @Test func aReasonThatAlwaysDiffersAndAFailureThatComesAndGoesFillNoDisk() {
        var streak = FailureStreak("store", log.logger)
        for number in 0..<1_000 { streak.add(error("after \(number) ms"), now: start) }
        #expect(log.lines.count == 5)
        streak.end()
        #expect(log.lines.count == 6)
        for _ in 0..<1_000 {
            streak.add(error("gone"), now: start + .seconds(1))
            streak.end()
        }
        #expect(log.lines.count == 6, "what was not said need not be taken back")
        streak.add(error("gone"), now: start + .seconds(61))
        #expect(streak.current?.contains("gone") == true)
        #expect(log.lines.count == 7)
    }

    @Test func aStopIsNoFailure() {
        var streak = FailureStreak("store", log.logger)
        streak.add(CancellationError(), now: start)
        streak.end()
        #expect(log.lines.isEmpty)
        #expect(streak.current == nil)
    }
}
