import KiteQCore
import Testing

@testable import KiteQAdmin

/// Wrong tokens cost their address time.
@Suite struct TokenAttemptsTests {
    private var attempts = TokenAttempts()
    private static let second: MonotonicTime = 1_000_000_000

    @Test mutating func whoShowsWrongOnesWaitsLongerAndLonger() {
        var now: MonotonicTime = 0
        var waits: [Duration] = []
        for number in 0..<10 {
            let wait = attempts.wait(for: [UInt8(number)], from: "10.0.0.1", now: now) ?? .zero
            waits.append(wait)
            now += MonotonicTime(wait / .nanoseconds(1))
            attempts.failed(from: "10.0.0.1", now: now)
        }
        #expect(waits.map { Int($0 / .milliseconds(1)) } == [0, 0, 0, 250, 500, 1_000, 2_000, 4_000, 8_000, 8_000])
        #expect(attempts.wait(for: [1], from: "10.0.0.2", now: now) == nil, "another address does not wait")
        #expect(attempts.wait(for: [1], from: "10.0.0.1", now: now + 8 * Self.second) == nil)
    }

    @Test mutating func whatWasRightFromThereIsNotHeldUp() {
        attempts.succeeded([7], from: "10.0.0.1")
        attempts.succeeded([8], from: "10.0.0.2")
        for _ in 0..<5 { attempts.failed(from: "10.0.0.1", now: 0) }
        #expect(attempts.wait(for: [7], from: "10.0.0.1", now: 0) == nil)
        // A success elsewhere would tell a guesser at this address that he is right.
        #expect(attempts.wait(for: [8], from: "10.0.0.1", now: 0) != nil)
        // Nor does a token of one's own make up for the guesses.
        attempts.succeeded([7], from: "10.0.0.1")
        #expect(attempts.wait(for: [9], from: "10.0.0.1", now: 0) != nil)
    }
}
