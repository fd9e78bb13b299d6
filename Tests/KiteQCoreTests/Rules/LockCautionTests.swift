import Testing

@testable import KiteQCore

@Suite struct LockCautionTests {
    @Test func aLockIsRememberedForAWhile() {
        var caution = LockCaution()
        let own = caution.begin(now: 0)
        #expect(!caution.isCalledFor(besides: own, now: 0))
        caution.metLock(now: 10)
        #expect(caution.isCalledFor(besides: own, now: 9 + LockCaution.memory))
        #expect(!caution.isCalledFor(besides: own, now: 10 + LockCaution.memory))
    }

    @Test func anotherThatTakesLongMayBeWaiting() {
        var caution = LockCaution()
        let other = caution.begin(now: 0)
        let own = caution.begin(now: 5)
        #expect(!caution.isCalledFor(besides: own, now: LockCaution.patience))
        #expect(caution.isCalledFor(besides: own, now: LockCaution.patience + 1))
        #expect(!caution.isCalledFor(besides: other, now: LockCaution.patience + 1), "its own time does not count")
        caution.end(other)
        #expect(!caution.isCalledFor(besides: own, now: LockCaution.patience + 1))
    }
}
