import Testing

@testable import KiteQCore

@Suite struct FailurePausesTests {
    private var pauses = FailurePauses<Int>()

    @Test mutating func twoAreFreeAndASuccessEndsIt() {
        for _ in 0..<2 { pauses.failed("a", 1, now: 5) }
        #expect(pauses.end("a", 1) == .min)
        pauses.failed("a", 1, now: 5)
        #expect(pauses.end("a", 1) == 250_000_005)
        #expect(pauses.end("a", 2) == .min && pauses.end("b", 1) == .min)
        pauses.succeeded("a", 1)
        #expect(pauses.end("a", 1) == .min)
    }

    /// Trying other names in between is no way round: those that failed most often are remembered.
    @Test mutating func manyNamesOfOneAddressDoNotPushOutTheGuessedOne() {
        for _ in 0..<4 { pauses.failed("a", 0, now: 0) }
        for name in 1...5_000 { pauses.failed("a", name, now: MonotonicTime(name)) }
        #expect(pauses.end("a", 0) == 500_000_000)
        #expect(pauses.end("a", 5_000) == .min && pauses.end("a", 9_999) == .min, "nobody else waits for it")
        for _ in 0..<2 { pauses.failed("a", 5_000, now: 6_000) }
        #expect(pauses.end("a", 5_000) == 250_006_000)
    }

    /// Of a hundred thousand places memory is bounded.
    @Test mutating func placesOfLongAgoAreForgottenFirst() {
        for _ in 0..<3 { pauses.failed("old", 0, now: 0) }
        for address in 0..<9_998 { pauses.failed("\(address)", 0, now: 1) }
        for _ in 0..<3 { pauses.failed("new", 0, now: 8_000_000_000) }
        #expect(pauses.end("old", 0) == .min && pauses.end("new", 0) == 8_250_000_000)
    }
}
