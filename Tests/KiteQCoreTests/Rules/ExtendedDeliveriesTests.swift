import Testing

@testable import KiteQCore

/// Deliveries whose time was set anew, in the window of a connection.
@Suite struct ExtendedDeliveriesTests {
    private typealias Window = InFlightWindow<Int>

    @Test func anExtendedDeliveryHasItsWholeTimeAgain() {
        var window = Window(limit: 10, timeout: 100)
        let opaque = window.deliver(0, now: 0)
        #expect(window.extend(opaque, now: 60, longest: 1_000) == true)
        #expect(window.nextDeadline == 160)
        #expect(window.expire(now: 159) == nil)
        #expect(window.expire(now: 160) == 0)
        #expect(window.acknowledge(opaque) == .late(0))
    }

    /// A queue in the order of opaques would have held the second up until the first is due.
    @Test func theOneInFrontHoldsUpNobody() {
        var window = Window(limit: 10, timeout: 100)
        let opaques = (0..<4).map { window.deliver($0, now: MonotonicTime($0 * 10)) }
        #expect(window.extend(opaques[0], now: 90, longest: 1_000) == true)
        #expect(window.extend(opaques[2], now: 95, longest: 1_000) == true)
        #expect(window.nextDeadline == 110)
        #expect(window.expire(now: 110) == 1)
        #expect(window.nextDeadline == 130)
        #expect(window.expire(now: 189) == 3)
        #expect(window.expire(now: 189) == nil)
        // Extended again before the others: it is behind them.
        #expect(window.extend(opaques[0], now: 189, longest: 1_000) == true)
        #expect(window.nextDeadline == 195)
        #expect(window.acknowledge(opaques[0]) == .inTime(0))
        #expect(window.expire(now: 500) == 2)
        #expect(window.nextDeadline == nil && window.inFlight == 0 && window.late == 3)
    }

    @Test func anExtensionEndsSomeDay() {
        var window = Window(limit: 10, timeout: 100)
        let opaque = window.deliver(0, now: 0)
        var now: MonotonicTime = 0
        while window.extend(opaque, now: now, longest: 250) { now += 50 }
        #expect(now == 250)
        #expect(window.nextDeadline == 300, "what the last one gave it stands")
        #expect(window.expire(now: 300) == 0)
        #expect(window.extend(opaque, now: 300, longest: 1_000) == false, "it was given up")
    }

    @Test func whatIsNotInFlightIsNotExtended() {
        var window = Window(limit: 10, timeout: 100)
        let opaque = window.deliver(0, now: 0)
        for wrong in [0, 2, .max] as [UInt32] { #expect(window.extend(wrong, now: 1, longest: 1_000) == false) }
        _ = window.acknowledge(opaque)
        #expect(window.extend(opaque, now: 1, longest: 1_000) == false)
        #expect(window.nextDeadline == nil)
    }

    @Test func theTimeInWhichTheConnectionIsNotReadDoesNotCount() {
        var window = Window(limit: 10, timeout: 100)
        let opaque = window.deliver(0, now: 0)
        window.pause(now: 50)
        // It was read before the pause.
        #expect(window.extend(opaque, now: 70, longest: 60) == true)
        #expect(window.nextDeadline == nil)
        window.resume(now: 1_050)
        #expect(window.nextDeadline == 1_150)
        #expect(window.oldestAge(now: 1_059) == 59)
        #expect(window.extend(opaque, now: 1_059, longest: 60) == true)
        #expect(window.extend(opaque, now: 1_060, longest: 60) == false)
    }

    @Test func whatIsOutIsToldByWhenItWasSent() {
        var window = Window(limit: 10, timeout: 100)
        let first = window.deliver(0, now: 0)
        _ = window.deliver(1, now: 20)
        #expect(window.extend(first, now: 90, longest: 1_000) == true)
        #expect(window.oldestAge(now: 91) == 91)
        _ = window.acknowledge(first)
        #expect(window.oldestAge(now: 91) == 71)
    }

    @Test func aLostConnectionGivesBackWhatWasExtendedInOrderOfDelivery() {
        var window = Window(limit: 10, timeout: 100)
        let opaques = (0..<4).map { window.deliver($0, now: 0) }
        for opaque in [opaques[2], opaques[0]] { #expect(window.extend(opaque, now: 10, longest: 1_000) == true) }
        #expect(window.drain() == [0, 1, 2, 3])
        #expect(window.nextDeadline == nil && window.queuedCount == 0)
    }

    /// One delivery that is extended for ever, and thousands that come and go beside it, extended as well.
    @Test func memoryStaysBounded() {
        var window = Window(limit: 8, timeout: 1_000_000)
        let stuck = window.deliver(-1, now: 0)
        var most = 0
        for n in 1...50_000 {
            let now = MonotonicTime(2 * n)
            let opaque = window.deliver(n, now: now)
            for opaque in [stuck, opaque] { #expect(window.extend(opaque, now: now + 1, longest: .max) == true) }
            #expect(window.acknowledge(opaque) == .inTime(n))
            most = max(most, window.placeCount + window.queuedCount)
        }
        #expect(most < 200)
        #expect(window.acknowledge(stuck) == .inTime(-1))
        #expect(window.placeCount == 0 && window.queuedCount == 0)
    }
}
