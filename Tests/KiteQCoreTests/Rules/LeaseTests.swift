import Testing

@testable import KiteQCore

@Suite struct LeaseTests {
    private let second: MonotonicTime = 1_000_000_000

    @Test func itHoldsFromBeforeItWasAskedFor() {
        var lease = Lease(duration: 10 * second)
        #expect(!lease.isHeld(now: 0))
        lease.renewed(sentAt: 100 * second)
        #expect(lease.isHeld(now: 110 * second - 1) && !lease.isHeld(now: 110 * second))
        lease.end()
        #expect(!lease.isHeld(now: 101 * second))
    }

    /// Looks each second; returns when a broker was first found dead.
    private func watch(
        _ watch: inout LeaseWatch, from start: Int64, to end: Int64, server: String = "a",
        own: Int64? = nil, _ leases: (Int64) -> [Int64: Timestamp]
    ) -> [Int64: Int64] {
        var found: [Int64: Int64] = [:]
        for time in start...end {
            let over = watch.look(at: leases(time), own: own, server: server, now: time * second)
            for number in over where found[number] == nil {
                found[number] = time
            }
        }
        return found
    }

    @Test func whoDoesNotRenewForAWholeLeaseIsDead() {
        var lease = LeaseWatch(duration: 10 * second)
        // 1 renews each 3 s, 2 did so for the last time at 120.
        let found = watch(&lease, from: 100, to: 140) { [1: $0 / 3, 2: min($0, 120) / 3] }
        #expect(found == [2: 130])
    }

    @Test func aNewWatcherWaitsForAWholeLease() {
        var lease = LeaseWatch(duration: 10 * second)
        #expect(watch(&lease, from: 100, to: 109) { _ in [2: 7] }.isEmpty)
        #expect(watch(&lease, from: 110, to: 110) { _ in [2: 7] } == [2: 110])
    }

    /// Whatever the outage's length and wherever the renewals stood when it began: nobody is found dead who renews within a third
    /// of a lease after it.
    @Test func noOutageEndsAnybody() {
        for outage in Int64(0)...40 {
            for phase in Int64(0)..<3 {
                var lease = LeaseWatch(duration: 10 * second)
                let end = 130 + outage
                func renewals(_ time: Int64) -> [Int64: Timestamp] {
                    if time <= 130 { return [1: (time + phase) / 3] }
                    return [1: time < end + 3 ? (130 + phase) / 3 : 1_000 + time / 3]
                }
                #expect(watch(&lease, from: 100, to: 130, renewals).isEmpty)
                #expect(watch(&lease, from: max(end, 131), to: end + 30, renewals).isEmpty, "\(outage) s, \(phase)")
            }
        }
    }

    /// The tables can be read and not written: nobody renews, wherever the renewals stood when it began and however long it lasts.
    @Test func aLockAgainstWritingEndsNobody() {
        for lock in Int64(0)...40 {
            for (own, other) in [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (1, 2), (2, 1)] as [(Int64, Int64)] {
                var lease = LeaseWatch(duration: 10 * second)
                let end = 130 + lock
                func written(_ time: Int64, _ phase: Int64) -> Timestamp {
                    if time <= 130 { return (time + phase) / 3 }
                    return time < end + phase ? (130 + phase) / 3 : 1_000 + (time + phase) / 3
                }
                let found = watch(&lease, from: 100, to: end + 30, own: 1) {
                    [1: written($0, own), 2: written($0, other)]
                }
                #expect(found.isEmpty, "\(lock) s, \(own), \(other)")
            }
        }
        // Who really ended in that time is found a lease later.
        var lease = LeaseWatch(duration: 10 * second)
        let found = watch(&lease, from: 100, to: 200, own: 1) { time in
            [1: (time <= 130 ? time : max(130, time - 20)) / 3 + (time >= 150 ? 1_000 : 0), 2: min(time, 130) / 3]
        }
        #expect(found[2].map { (150...165).contains($0) } == true, "\(found)")
    }

    /// Who renews late is no reason to look at nobody.
    @Test func renewalsThatAreLateLetTheDeadBeFound() {
        var lease = LeaseWatch(duration: 10 * second)
        #expect(watch(&lease, from: 100, to: 140, own: 1) { [1: $0 / 6, 2: min($0, 120) / 3] } == [2: 130])
    }

    @Test func anotherServerBeginsTheWatchAnew() {
        var lease = LeaseWatch(duration: 10 * second)
        #expect(watch(&lease, from: 100, to: 109) { _ in [2: 7] }.isEmpty)
        #expect(watch(&lease, from: 110, to: 119, server: "b") { _ in [2: 7] }.isEmpty)
        #expect(watch(&lease, from: 120, to: 120, server: "b") { _ in [2: 7] } == [2: 120])
    }
}
