import Testing

@testable import KiteQCore

@Suite struct LeaseTests {
    private let second: MonotonicTime = 1_000_000_000

    @Test func itHoldsFromBeforeItWasAskedFor() {
        var lease = Lease(duration: 10 * second)
        #expect(!lease.isHeld(now: 0) && lease.wantsRenewal(now: 0))
        lease.renewed(sentAt: 100 * second, server: "a")
        #expect(lease.isHeld(now: 110 * second - 1) && !lease.isHeld(now: 110 * second))
        #expect(!lease.wantsRenewal(now: 103 * second) && lease.wantsRenewal(now: 104 * second))
    }

    /// Renewals each third of a lease from `start` on.
    private func renewed(_ lease: inout Lease, from start: Int64, to end: Int64, server: String = "a") {
        var time = start * second
        while time <= end * second {
            lease.renewed(sentAt: time, server: server)
            time += lease.renewalInterval
        }
    }

    @Test func itJudgesAfterAWholeLeaseOfItsOwn() {
        var lease = Lease(duration: 9 * second)
        renewed(&lease, from: 100, to: 106)
        #expect(!lease.mayJudge(now: 109 * second - 1))
        renewed(&lease, from: 109, to: 109)
        #expect(lease.mayJudge(now: 109 * second))
    }

    /// Whatever the outage's length and wherever the renewals of two brokers stood when it began: none finds the other's lease
    /// run out while it may judge, if both renew within a sixth of a lease after the outage.
    @Test func noOutageFencesAnybody() {
        for outage in stride(from: Int64(0), through: 40, by: 1) {
            for phase in Int64(0)..<6 {
                var heir = Lease(duration: 18 * second)
                // Renews each 6 s; the outage begins right after one of them.
                renewed(&heir, from: 100, to: 160)
                let end = 160 + outage
                let other = 160 - phase  // The other's last renewal before the outage: until then + 18 s.
                heir.renewed(sentAt: end * second, server: "a")
                let othersLeaseHasRunOut = other + 18 < end + 3
                if othersLeaseHasRunOut { #expect(!heir.mayJudge(now: (end + 2) * second), "outage \(outage) s") }
            }
        }
    }

    @Test func anotherServerHasAnotherClock() {
        var lease = Lease(duration: 9 * second)
        renewed(&lease, from: 100, to: 120)
        #expect(lease.mayJudge(now: 121 * second))
        lease.renewed(sentAt: 123 * second, server: "b")
        #expect(!lease.mayJudge(now: 124 * second))
        renewed(&lease, from: 126, to: 132, server: "b")
        #expect(lease.mayJudge(now: 133 * second))
    }

    @Test func whoIsDeadHoldsNothing() {
        var lease = Lease(duration: 9 * second)
        renewed(&lease, from: 100, to: 120)
        lease.end()
        #expect(!lease.isHeld(now: 120 * second) && !lease.mayJudge(now: 120 * second))
    }
}
