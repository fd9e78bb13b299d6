import KiteQCore
import Testing

@Suite struct NameWatchTests {
    private var watch = NameWatch(duration: 100)

    @Test func aNameThatNobodyHasIsFree() {
        var watch = watch
        #expect(watch.look(at: [], server: "a", now: 0) == .free)
    }

    @Test func whoRenewsHasTheName() {
        var watch = watch
        #expect(watch.look(at: [.init(number: 7, leaseUntil: 10)], server: "a", now: 0) == .open)
        #expect(watch.look(at: [.init(number: 7, leaseUntil: 10)], server: "a", now: 20) == .open)
        #expect(watch.look(at: [.init(number: 7, leaseUntil: 11)], server: "a", now: 40) == .taken(by: 7))
    }

    /// No clock is asked but the watcher's own: what the row says of the time counts for nothing.
    @Test func aLeaseThatIsSeenToRunOutIsOver() {
        var watch = watch
        for now in stride(from: Int64(0), to: 100, by: 20) {
            #expect(watch.look(at: [.init(number: 7, leaseUntil: -5)], server: "a", now: now) == .open)
        }
        #expect(watch.look(at: [.init(number: 7, leaseUntil: -5)], server: "a", now: 100) == .free)
    }

    @Test func whoseConnectionsAreGoneIsNotWaitedFor() {
        var watch = watch
        #expect(watch.look(at: [.init(number: 7, leaseUntil: 10, isGone: true)], server: "a", now: 0) == .free)
        let both = [NameWatch.Life(number: 7, leaseUntil: 10, isGone: true), .init(number: 8, leaseUntil: 10)]
        #expect(watch.look(at: both, server: "a", now: 1) == .open, "another one of the name may live")
    }

    /// A watcher that slept has not seen a whole lease, and another server may lack a renewal.
    @Test func gapsAndOtherServersBeginTheWatchAnew() {
        var watch = watch
        let life = NameWatch.Life(number: 7, leaseUntil: 10)
        _ = watch.look(at: [life], server: "a", now: 0)
        #expect(watch.look(at: [life], server: "a", now: 500) == .open)
        #expect(watch.look(at: [.init(number: 7, leaseUntil: 9)], server: "b", now: 520) == .open)
        #expect(watch.look(at: [.init(number: 7, leaseUntil: 9)], server: "b", now: 560) == .open)
    }
}
