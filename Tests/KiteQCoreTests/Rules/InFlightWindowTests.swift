import SeededRandom
import Testing

@testable import KiteQCore

@Suite struct InFlightWindowTests {
    private typealias Window = InFlightWindow<Int>

    @Test func handsOutOpaquesInSequence() {
        var window = Window(limit: 10, timeout: 100)
        #expect((0..<4).map { window.deliver($0, now: 0) } == [1, 2, 3, 4])
        #expect(window.acknowledge(2) == .inTime(1))
        #expect(window.acknowledge(1) == .inTime(0))
        #expect(window.deliver(4, now: 0) == 5)
        #expect(window.inFlight == 3)
    }

    @Test func opaquesWrapAround() {
        for first in [UInt32.max - 2, .max - 1, .max, 0] {
            var window = Window(limit: 8, timeout: 100, firstOpaque: first)
            let opaques = (0..<6).map { window.deliver($0, now: 0) }
            #expect(opaques == (0..<6).map { first &+ UInt32($0) })
            #expect(window.acknowledge(first &- 1) == .unknown)
            #expect(window.acknowledge(first &+ 6) == .unknown)
            for n in [3, 0, 5, 1, 4, 2] { #expect(window.acknowledge(opaques[n]) == .inTime(n)) }
            #expect(window.inFlight == 0 && window.placeCount == 0)
        }
    }

    @Test func isFullAtItsLimit() {
        var window = Window(limit: 3, timeout: 100)
        for n in 0..<3 {
            #expect(window.hasRoom && window.room == 3 - n)
            _ = window.deliver(n, now: 0)
        }
        #expect(!window.hasRoom && window.room == 0)
        _ = window.acknowledge(2)
        #expect(window.hasRoom && window.room == 1)
        _ = window.deliver(3, now: 0)
        // What timed out makes room too.
        #expect(window.expire(now: 100) == 0)
        #expect(window.room == 1)
    }

    @Test func deliveringWithoutRoomIsAMistakeOfOurs() async {
        await #expect(processExitsWith: .failure) {
            var window = InFlightWindow<Int>(limit: 1, timeout: 100)
            _ = window.deliver(0, now: 0)
            _ = window.deliver(1, now: 0)
        }
    }

    @Test func answersCountOnce() {
        var window = Window(limit: 3, timeout: 100)
        let opaque = window.deliver(7, now: 0)
        _ = window.deliver(8, now: 0)
        #expect(window.acknowledge(opaque) == .inTime(7))
        #expect(window.acknowledge(opaque) == .unknown)
        #expect(window.inFlight == 1)
        for wrong in [0, 3, 4, .max] as [UInt32] { #expect(window.acknowledge(wrong) == .unknown) }
    }

    @Test func timesOutAtTheDeadlineInOrder() {
        var window = Window(limit: 10, timeout: 100)
        for n in 0..<5 { _ = window.deliver(n, now: MonotonicTime(n * 10)) }
        #expect(window.nextDeadline == 100)
        #expect(window.expire(now: 99) == nil)
        #expect(window.expire(now: 100) == 0)
        #expect(window.expire(now: 100) == nil)
        #expect(window.nextDeadline == 110)
        #expect(window.acknowledge(2) == .inTime(1))
        #expect(window.nextDeadline == 120)
        #expect(window.expire(now: 1_000) == 2)
        #expect(window.expire(now: 1_000) == 3)
        #expect(window.expire(now: 1_000) == 4)
        #expect(window.expire(now: 1_000) == nil)
        #expect(window.nextDeadline == nil && window.inFlight == 0 && window.late == 4)
    }

    @Test func anAnswerBeforeTheAttemptWasGivenUpIsInTime() {
        var window = Window(limit: 10, timeout: 100)
        let opaque = window.deliver(0, now: 0)
        #expect(window.nextDeadline == 100)
        #expect(window.acknowledge(opaque) == .inTime(0))
        #expect(window.expire(now: 200) == nil)
    }

    @Test func aLateAnswerIsToldFromAWrongOne() {
        var window = Window(limit: 10, timeout: 100)
        let opaque = window.deliver(5, now: 0)
        #expect(window.expire(now: 100) == 5)
        #expect(window.acknowledge(opaque) == .late(5))
        #expect(window.acknowledge(opaque) == .unknown)
        #expect(window.late == 0 && window.placeCount == 0)
    }

    @Test func whatIsLateIsForgottenByNumber() {
        var window = Window(limit: 4, timeout: 100, lateLimit: 2)
        let opaques = (0..<4).map { window.deliver($0, now: 0) }
        while window.expire(now: 100) != nil {}
        #expect(window.late == 2)
        #expect(opaques.map { window.acknowledge($0) } == [.unknown, .unknown, .late(2), .late(3)])

        var none = Window(limit: 4, timeout: 100, lateLimit: 0)
        let opaque = none.deliver(0, now: 0)
        #expect(none.expire(now: 100) == 0)
        #expect(none.acknowledge(opaque) == .unknown && none.placeCount == 0)
    }

    @Test func whatIsLateIsForgottenByAge() {
        var window = Window(limit: 4, timeout: 100, lateTime: 50)
        let first = window.deliver(0, now: 0)
        #expect(window.expire(now: 100) == 0)
        _ = window.deliver(1, now: 150)
        #expect(window.late == 1)
        _ = window.deliver(2, now: 151)
        #expect(window.late == 0)
        #expect(window.acknowledge(first) == .unknown)
    }

    @Test func noDeadlineRunsWhileTheConnectionIsNotRead() {
        var window = Window(limit: 10, timeout: 100)
        _ = window.deliver(0, now: 0)
        window.pause(now: 60)
        window.pause(now: 70)
        #expect(window.isPaused && window.nextDeadline == nil)
        #expect(window.expire(now: 10_000) == nil)
        // What is delivered meanwhile has its whole time from the resumption on.
        _ = window.deliver(1, now: 500)
        window.resume(now: 1_060)
        window.resume(now: 5_000)
        #expect(!window.isPaused && window.nextDeadline == 1_100)
        #expect(window.expire(now: 1_099) == nil)
        #expect(window.expire(now: 1_100) == 0)
        #expect(window.nextDeadline == 1_160)
        #expect(window.expire(now: 1_160) == 1)
        _ = window.deliver(2, now: 2_000)
        #expect(window.nextDeadline == 2_100)
    }

    @Test func answersThatWereReadBeforeThePauseCount() {
        var window = Window(limit: 10, timeout: 100)
        let opaque = window.deliver(0, now: 0)
        window.pause(now: 10)
        #expect(window.acknowledge(opaque) == .inTime(0))
        window.resume(now: 1_000)
        #expect(window.expire(now: 5_000) == nil)
    }

    @Test func aLostConnectionGivesBackWhatWasInFlight() {
        var window = Window(limit: 10, timeout: 100)
        let opaques = (0..<6).map { window.deliver($0, now: MonotonicTime($0)) }
        #expect(window.expire(now: 100) == 0)
        _ = window.acknowledge(opaques[3])
        #expect(window.drain() == [1, 2, 4, 5])
        #expect(window.drain() == [])
        #expect(window.inFlight == 0 && window.late == 0 && window.placeCount == 0 && window.nextDeadline == nil)
        for opaque in opaques { #expect(window.acknowledge(opaque) == .unknown) }
        // An opaque is not used again.
        #expect(window.deliver(9, now: 200) == 7)
    }

    @Test func oneThatNeverAnswersHoldsUpNothing() {
        var window = Window(limit: 8, timeout: 1_000_000)
        let stuck = window.deliver(-1, now: 0)
        var most = 0
        for n in 0..<100_000 {
            let opaque = window.deliver(n, now: 1)
            most = max(most, window.placeCount)
            #expect(window.acknowledge(opaque) == .inTime(n))
        }
        #expect(most <= 2 * 8 + 66)
        #expect(window.nextDeadline == 1_000_000)
        #expect(window.acknowledge(stuck) == .inTime(-1))
        #expect(window.placeCount == 0)
    }

    @Test func entriesAreReleasedWithTheirAnswer() {
        final class Held: Sendable {}
        var window = InFlightWindow<Held>(limit: 8, timeout: 100)
        weak var released: Held?
        _ = window.deliver(Held(), now: 0)
        let opaque: UInt32
        do {
            let held = Held()
            released = held
            opaque = window.deliver(held, now: 0)
        }
        #expect(released != nil)
        _ = window.acknowledge(opaque)
        #expect(released == nil, "though its place behind the first is still there")
    }

    /// Against a dictionary of all that was ever delivered.
    @Test(arguments: 0..<60 as Range<UInt64>) func agreesWithADictionary(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let limit = Int.random(in: 1...(seed < 30 ? 5 : 100), using: &random)
        let timeout = MonotonicTime.random(in: 1...300, using: &random)
        let lateLimit = Int.random(in: 0...(seed.isMultiple(of: 3) ? 3 : 100), using: &random)
        let lateTime = MonotonicTime.random(in: 0...1_000, using: &random)
        let longest = MonotonicTime.random(in: 0...2_000, using: &random)
        var window = Window(
            limit: limit, timeout: timeout, firstOpaque: .max - 500, lateLimit: lateLimit, lateTime: lateTime)
        var model = WindowModel(limit: limit, timeout: timeout, lateLimit: lateLimit, lateTime: lateTime)
        var opaques: [UInt32] = []
        var now: MonotonicTime = 0
        var entry = 0
        for _ in 0..<5_000 {
            now += Bool.random(using: &random) ? 0 : .random(in: 0...20, using: &random)
            // Mostly a recent one.
            let recent = opaques.suffix(Bool.random(using: &random) ? limit : .max)
            let opaque = recent.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<45 where window.hasRoom:
                let opaque = window.deliver(entry, now: now)
                model.deliver(entry, as: opaque, now: now)
                opaques.append(opaque)
                entry += 1
            case 0..<65:
                #expect(window.acknowledge(opaque) == model.acknowledge(opaque))
            case 65..<80:
                #expect(
                    window.extend(opaque, now: now, longest: longest)
                        == model.extend(opaque, now: now, longest: longest))
            case 80..<95:
                while true {
                    let (got, expected) = (window.expire(now: now), model.expire(now: now))
                    try #require(got == expected)
                    if got == nil { break }
                }
            case 95..<97:
                window.pause(now: now)
                model.pause(now: now)
            case 97..<99:
                window.resume(now: now)
                model.resume(now: now)
            default:
                guard Int.random(in: 0..<20, using: &random) == 0 else { continue }
                #expect(window.drain() == model.drain())
            }
            // One expectation for all: they cost more than what they look at.
            let agrees =
                window.inFlight == model.waiting.count && window.late == model.late.count
                && window.hasRoom == (model.waiting.count < limit) && window.nextDeadline == model.nextDeadline
                && window.oldestAge(now: now) == model.oldestAge(now: now)
                && window.placeCount <= 2 * (limit + lateLimit) + 66
                && window.queuedCount <= 2 * (limit + lateLimit) + 132
            try #require(agrees, "\(window), but \(model)")
        }
    }
}
