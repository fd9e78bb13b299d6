import Testing

@testable import KiteQCore

@Suite struct UnwrittenSettlementsTests {
    private static let waits = Settlement.Pending(group: "a", attempts: 1, dueAt: 0)

    @Test func aMessageIsOutOfDateUntilItsLastSettlementIsWritten() {
        var unwritten = UnwrittenSettlements(limit: 10)
        unwritten.add(Settlement(seq: 1, pending: [Self.waits]))
        #expect(unwritten.contains(1) && unwritten.willLeaveRows(of: 1))
        unwritten.add(Settlement(seq: 1))
        #expect(!unwritten.willLeaveRows(of: 1), "the last one counts")
        #expect(unwritten.forget([1]) == [])
        #expect(unwritten.contains(1))
        #expect(unwritten.forget([1, 2]) == [])
        #expect(unwritten.isEmpty)
    }

    @Test func whatIsPutAsideIsReadAgainWhereItLeavesRows() {
        var unwritten = UnwrittenSettlements(limit: 10)
        unwritten.add(Settlement(seq: 1, pending: [Self.waits]))
        unwritten.add(Settlement(seq: 2))
        unwritten.add(Settlement(seq: 3, wasTracked: true))
        unwritten.putAside([1, 2, 9])
        #expect(unwritten.isAside(1) && !unwritten.willLeaveRows(of: 1) && unwritten.willLeaveRows(of: 3))
        #expect(!unwritten.isAside(9), "of that nothing is to be written")
        #expect(unwritten.forget([3, 2, 1]) == [1])
        #expect(unwritten.isEmpty && !unwritten.isAside(1) && !unwritten.isAside(2))
    }

    @Test func tooManyAreTooManyUntilHalfIsWritten() {
        var unwritten = UnwrittenSettlements(limit: 4)
        for seq in 1...3 { unwritten.add(Settlement(seq: Int64(seq))) }
        #expect(!unwritten.areTooMany)
        #expect(unwritten.written(0) == false)
        unwritten.add(Settlement(seq: 3))
        #expect(unwritten.areTooMany && unwritten.count == 4)
        #expect(unwritten.written(1) == false)
        #expect(unwritten.areTooMany)
        #expect(unwritten.written(1) == true)
        #expect(!unwritten.areTooMany)
        #expect(unwritten.written(1) == false, "that was said")
    }
}

@Suite struct DeliveryShardTests {
    @Test func whatIsWrittenDuringAScanIsForgottenAtItsEnd() {
        var shard = DeliveryShard(unwritten: 2, pagedIn: 1)
        shard.leaseUntil = 100
        shard.beginScan()
        for seq in 1...2 { shard.add(Settlement(seq: Int64(seq), wasTracked: true)) }
        #expect(shard.isStopped(now: 0), "too much is not written")
        shard.putAside([2])
        let (passed, goesOn) = shard.written([1, 2])
        #expect(passed.isEmpty && goesOn && !shard.isStopped(now: 0))
        #expect(shard.unwritten.contains(1), "the scan may show what was before")
        #expect(shard.endScan() == [2])
        #expect(shard.unwritten.isEmpty && !shard.isScanning)
        #expect(shard.endScan() == [])
    }

    @Test func aLeaseThatIsOverStopsIt() {
        var shard = DeliveryShard(unwritten: 2, pagedIn: 1)
        #expect(shard.isStopped(now: 0))
        shard.leaseUntil = 10
        #expect(!shard.isStopped(now: 9) && shard.isStopped(now: 10))
        shard.serverLead = -5
        #expect(shard.time(7) == 2)
    }
}

@Suite struct OrphanWatchTests {
    @Test func aPassGoesOnWhereItWasAndBeginsAgainAfterTheInterval() {
        var watch = OrphanWatch(nextPassAt: 10)
        #expect(watch.nextPage(now: 9) == nil)
        #expect(watch.nextPage(now: 10) == 0)
        watch.endPage(DeliveryScanResult(rows: [], frontier: 7, isEnd: false), now: 10, interval: 5)
        #expect(watch.nextPage(now: 10) == 7 && !watch.isDue(now: 10))
        watch.endPage(DeliveryScanResult(rows: [], isEnd: true), now: 11, interval: 5)
        #expect(watch.nextPage(now: 15) == nil && watch.nextPage(now: 16) == 0)
        watch.endPage(DeliveryScanResult(rows: [], frontier: 7, isEnd: false), now: 16, interval: 5)
        watch.fail(until: 30)
        #expect(watch.nextPage(now: 29) == nil && watch.nextPage(now: 30) == 0)
    }
}
