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
        _ leases: (Int64) -> [Int64: Timestamp]
    ) -> [Int64: Int64] {
        var found: [Int64: Int64] = [:]
        for time in start...end {
            for number in watch.look(at: leases(time), server: server, now: time * second) where found[number] == nil {
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

    @Test func anotherServerBeginsTheWatchAnew() {
        var lease = LeaseWatch(duration: 10 * second)
        #expect(watch(&lease, from: 100, to: 109) { _ in [2: 7] }.isEmpty)
        #expect(watch(&lease, from: 110, to: 119, server: "b") { _ in [2: 7] }.isEmpty)
        #expect(watch(&lease, from: 120, to: 120, server: "b") { _ in [2: 7] } == [2: 120])
    }
}
