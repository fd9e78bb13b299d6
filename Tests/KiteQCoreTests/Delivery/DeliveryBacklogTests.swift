import Testing

@testable import KiteQCore

@Suite struct DeliveryBacklogTests {
    @Test func anAbsentGroupCostsNoMemory() {
        var h = DeliveryHarness()
        for seq in 1...100 { h.accept(Int64(seq), DeliveryHarness.route("away")) }
        #expect(h.machine.gauges.messages == 0)
        #expect(h.settlements().isEmpty, "its fresh rows are its backlog")
    }

    @Test func aGroupThatIsAwayIsWrittenOnceThePresentOnesAreDone() {
        var h = DeliveryHarness()
        _ = h.liveClient("here")
        h.accept(1, DeliveryHarness.route("here", "away"))
        h.acknowledge(h.deliveries()[0])
        let settled = h.settlements()
        #expect(settled.map(\.pending) == [[.init(group: "away", attempts: 0, dueAt: 0)]])
        #expect(h.machine.gauges.messages == 0)
    }

    @Test func withoutPersistenceAnAbsentGroupCountsAsServed() {
        var h = DeliveryHarness()
        h.accept(1, DeliveryHarness.route(volatile: ["v"]))
        #expect(h.settlements().map(\.isRemoval) == [true])
        let client = h.liveClient("v")
        h.accept(2, DeliveryHarness.route(volatile: ["v"]))
        #expect(h.deliveries().count == 1)
        h.disconnect(client)
        #expect(h.settlements().map(\.isRemoval) == [true])
    }

    @Test func aReturningGroupPagesItsBacklogInOldestFirst() {
        var h = DeliveryHarness()
        _ = h.connect("a")
        _ = h.nextScan().map { h.finish($0, .init(rows: [], isEnd: true)) }  // what is due
        let scan = h.nextScan()!
        #expect(scan.kind == .backlog(after: 0))
        let rows = [
            DeliveryScanResult.Row(seq: 3, kind: .fresh(DeliveryHarness.route("a"))), .init(seq: 5, kind: .tracked),
        ]
        h.finish(
            scan, DeliveryScanResult(rows: rows, frontier: 5, isEnd: false),
            loaded: [h.fresh(3, DeliveryHarness.route("a")), h.tracked(5, "a", attempts: 2, dueAt: 0)])
        #expect(h.deliveries().count == 2)
        let next = h.nextScan()!
        #expect(next.kind == .backlog(after: 5))
        h.finish(next, .init(rows: [], isEnd: true))
        h.accept(9, DeliveryHarness.route("a"))
        #expect(h.deliveries().count == 1, "live: what is accepted goes out at once")
    }

    /// A scan may or may not have seen what was committed while it ran: it must come exactly once either way.
    @Test(arguments: [true, false]) func whatIsAcceptedDuringAScanComesOnce(wasSeen: Bool) {
        var h = DeliveryHarness()
        _ = h.connect("a")
        _ = h.nextScan().map { h.finish($0, .init(rows: [], isEnd: true)) }
        let scan = h.nextScan()!
        let route = DeliveryHarness.route("a")
        h.accept(7, route)
        #expect(h.deliveries().isEmpty)
        let rows = wasSeen ? [DeliveryScanResult.Row(seq: 7, kind: .fresh(route))] : []
        h.finish(scan, .init(rows: rows, isEnd: true))
        #expect(h.deliveries().count == 1)
        #expect(h.machine.gauges.messages == 1)
    }

    /// Found, delivered and removed between the commit and its report. A retry of the insert may also have stored it anew.
    @Test(arguments: [true, false]) func whatAScanFoundBeforeItsReportComesAgainOnlyIfItIsStoredAgain(isStored: Bool) {
        var h = DeliveryHarness()
        _ = h.connect("a")
        let row = DeliveryScanResult.Row(seq: 7, kind: .fresh(DeliveryHarness.route("a")))
        while let scan = h.nextScan() {
            let isBacklog = scan.kind == .backlog(after: 0)
            h.finish(
                scan, .init(rows: isBacklog ? [row] : [], isEnd: true),
                loaded: isBacklog ? [h.fresh(7, DeliveryHarness.route("a"))] : [])
        }
        h.acknowledge(h.deliveries()[0])
        #expect(h.settlements().map(\.isRemoval) == [true])
        h.accept(7, DeliveryHarness.route("a"))
        #expect(h.deliveries().isEmpty)
        let scan = h.nextScan()!
        #expect(scan.kind == .backlog(after: 6))
        h.finish(
            scan, .init(rows: isStored ? [row] : [], isEnd: true),
            loaded: isStored ? [h.fresh(7, DeliveryHarness.route("a"))] : [])
        #expect(h.deliveries().count == (isStored ? 1 : 0))
    }

    @Test func whatIsAcceptedDuringAPageAndLiesBeyondItIsLeftToTheNext() {
        var h = DeliveryHarness()
        _ = h.connect("a")
        _ = h.nextScan().map { h.finish($0, .init(rows: [], isEnd: true)) }
        let scan = h.nextScan()!
        let route = DeliveryHarness.route("a")
        h.accept(4, route)
        h.accept(70, route)
        h.finish(
            scan, .init(rows: [.init(seq: 5, kind: .fresh(DeliveryHarness.route("a")))], frontier: 5, isEnd: false),
            loaded: [h.fresh(5, route)])
        #expect(h.deliveries().map { _ in 1 }.count == 2, "5 from the page, and 4, which the page ought to have had")
        #expect(h.machine.gauges.messages == 2)
        #expect(h.nextScan()?.kind == .backlog(after: 5))
    }

    @Test func aFullQueueSendsTheGroupToTheStore() {
        var h = DeliveryHarness {
            $0.queueLength = 10
            $0.window = 1
        }
        _ = h.liveClient("a")
        let route = DeliveryHarness.route("a")
        for seq in 1...30 { h.accept(Int64(seq), route) }
        #expect(h.machine.gauges.messages == 11, "10 queued and one in flight")
        #expect(h.nextScan() == nil, "no room yet")
        for _ in 1...6 { h.acknowledge(h.deliveries()[0]) }
        let scan = h.nextScan()!
        #expect(scan.kind == .backlog(after: 11))
        h.finish(
            scan, .init(rows: (12...16).map { .init(seq: $0, kind: .fresh(route)) }, frontier: 16, isEnd: false),
            loaded: (12...16).map { h.fresh($0, route) })
        #expect(h.machine.gauges.queued == 9)
    }

    /// A row that is still being written must be met again, not passed over.
    @Test func aPageEndsAtWhatIsStillBeingWritten() {
        var h = DeliveryHarness()
        let away = h.liveClient("a")
        _ = h.liveClient("b")
        h.disconnect(away)
        h.accept(1, DeliveryHarness.route("a", "b"))
        h.acknowledge(h.deliveries()[0])
        let pending = h.unwritten()
        #expect(pending.first?.pending == [.init(group: "a", attempts: 0, dueAt: 0)])
        _ = h.connect("a")
        _ = h.nextScan().map { h.finish($0, .init(rows: [], isEnd: true)) }
        let scan = h.nextScan()!
        // The scan read the row as it was before.
        h.finish(scan, .init(rows: [.init(seq: 1, kind: .fresh(DeliveryHarness.route("a")))], isEnd: true))
        #expect(h.deliveries().isEmpty)
        h.machine.settled([1], shard: 0, &h.moment)
        h.pass(300_000_000)
        let again = h.nextScan()!
        #expect(again.kind == .backlog(after: 0))
        h.finish(
            again, .init(rows: [.init(seq: 1, kind: .tracked)], isEnd: true),
            loaded: [h.tracked(1, "a", attempts: 0, dueAt: 0)])
        #expect(h.deliveries().count == 1)
    }

    /// What the store does not take for now keeps nothing that lies behind it waiting.
    @Test func aPageGoesOnBehindWhatWasPutAside() {
        var h = DeliveryHarness()
        let away = h.liveClient("a")
        _ = h.liveClient("b")
        h.disconnect(away)
        h.accept(1, DeliveryHarness.route("a", "b"))
        h.acknowledge(h.deliveries()[0])
        #expect(h.unwritten().first?.pending == [.init(group: "a", attempts: 0, dueAt: 0)])
        h.machine.putAside([1], shard: 0)
        _ = h.connect("a")
        let rows: [DeliveryScanResult.Row] = [1, 2].map { .init(seq: $0, kind: .fresh(DeliveryHarness.route("a"))) }
        while let scan = h.nextScan() {
            let isBacklog = scan.kind == .backlog(after: 0)
            h.finish(
                scan, .init(rows: isBacklog ? rows : [], isEnd: true),
                loaded: isBacklog ? [h.fresh(2, DeliveryHarness.route("a"))] : [])
        }
        #expect(h.deliveries().count == 1, "the second")
        // Written at last, it is met.
        h.machine.settled([1], shard: 0, &h.moment)
        #expect(!h.machine.shards[0].unwritten.isAside(1) && h.actions.scansWanted)
        while let scan = h.nextScan() {
            #expect(scan.kind == .backlog(after: 0))
            let isOwed = scan.group == "a"
            h.finish(
                scan, .init(rows: isOwed ? [.init(seq: 1, kind: .tracked)] : [], isEnd: true),
                loaded: isOwed ? [h.tracked(1, "a", attempts: 0, dueAt: 0)] : [])
        }
        #expect(h.deliveries().count == 1)
    }

    /// A removal that is not yet written leaves its row to be seen: it must not be delivered again.
    @Test func aRemovalOnItsWayIsNotDeliveredAgain() {
        var h = DeliveryHarness()
        let client = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        h.acknowledge(h.deliveries()[0])
        #expect(h.unwritten().count == 1)
        h.disconnect(client)
        _ = h.connect("a")
        while let scan = h.nextScan() {
            let isBacklog = scan.kind == .backlog(after: 0)
            // Written while the scan was under way: its result is older.
            h.machine.settled(isBacklog ? [1] : [], shard: 0, &h.moment)
            h.finish(
                scan,
                .init(rows: isBacklog ? [.init(seq: 1, kind: .fresh(DeliveryHarness.route("a")))] : [], isEnd: true))
        }
        #expect(h.deliveries().isEmpty)
        #expect(h.machine.shards.allSatisfy { $0.unwritten.isEmpty })
    }

    @Test func attemptsOfAGroupThatDiesOfAMessageAreWritten() {
        var h = DeliveryHarness()
        let client = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        #expect(h.deliveries().count == 1)
        h.disconnect(client)
        let settled = h.settlements()
        #expect(settled.map(\.seq) == [1])
        #expect(settled.first?.pending.first?.attempts == 1 && settled.first?.pending.first?.dueAt == 0)
        #expect(h.machine.gauges.messages == 0 && h.machine.gauges.inFlight == 0)
    }

    @Test func aLostClientsMessagesGoToAnotherOne() {
        var h = DeliveryHarness()
        let first = h.liveClient("a")
        let second = h.liveClient("a")
        for seq in 1...4 { h.accept(Int64(seq), DeliveryHarness.route("a")) }
        let sent = h.deliveries()
        let own = sent.filter { $0.client == second }
        #expect(sent.count == 4 && own.count == 2)
        h.disconnect(first)
        #expect(h.deliveries().isEmpty, "apart from what the other one has in flight")
        h.acknowledge(own[0])
        h.acknowledge(own[1])
        for _ in 1...2 {
            let again = h.deliveries()
            #expect(again.map(\.client) == [second], "one by one")
            h.acknowledge(again[0])
        }
        #expect(h.machine.gauges.messages == 0)
    }

    @Test func anUncertainInsertIsLookedForInTheStore() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.machine.reread(shard: 0, from: 40, &h.moment)
        #expect(h.actions.scansWanted)
        let scan = h.nextScan()!
        #expect(scan.kind == .backlog(after: 39))
        h.finish(
            scan, .init(rows: [.init(seq: 41, kind: .fresh(DeliveryHarness.route("a")))], isEnd: true),
            loaded: [h.fresh(41, DeliveryHarness.route("a"))])
        #expect(h.deliveries().count == 1)
    }

    @Test func tooManyUnwrittenRemovalsStopDeliveries() {
        var h = DeliveryHarness { $0.unflushed = 2 }
        _ = h.liveClient("a")
        for seq in 1...2 { h.accept(Int64(seq), DeliveryHarness.route("a")) }
        for sent in h.deliveries() { h.acknowledge(sent) }
        let held = h.unwritten()
        #expect(held.count == 2)
        h.accept(3, DeliveryHarness.route("a"))
        #expect(h.deliveries().isEmpty)
        h.machine.settled([1, 2], shard: 0, &h.moment)
        #expect(h.deliveries().count == 1)
    }

    @Test func aShardThatIsNotWrittenStopsNoOther() {
        var h = DeliveryHarness(shards: 2) { $0.unflushed = 2 }
        _ = h.liveClient("a")
        for seq in 1...2 { h.accept(Int64(seq), DeliveryHarness.route("a")) }
        for sent in h.deliveries() { h.acknowledge(sent) }
        #expect(h.unwritten().count == 2)
        h.accept(3, DeliveryHarness.route("a"))
        h.accept(4, DeliveryHarness.route("a"), shard: 1)
        #expect(h.deliveries().count == 1)
        h.machine.reread(shard: 0, from: 1, &h.moment)
        #expect(h.nextScan() == nil)
        h.machine.reread(shard: 1, from: 1, &h.moment)
        #expect(h.nextScan(1)?.kind == .backlog(after: 0))
        h.machine.settled([1], shard: 0, &h.moment)
        #expect(h.deliveries().isEmpty, "it goes on once half of its part is free")
        h.machine.settled([2], shard: 0, &h.moment)
        #expect(h.deliveries().count == 1)
    }

    @Test func mergingPagesKeepsTheOrderAndTheFrontierOfTheShorter() {
        let route = DeliveryHarness.route("a")
        func fresh(_ seqs: Int64...) -> [FreshMessage] { seqs.map { FreshMessage(seq: $0, route: route) } }
        let merged = DeliveryScanResult.backlog(fresh: fresh(1, 2, 3, 9), waiting: [2, 4], limit: 2)
        #expect(merged.rows.map(\.seq) == [1, 2, 3, 4])
        #expect(merged.rows.map(\.kind) == [.fresh(route), .tracked, .fresh(route), .tracked])
        #expect(merged.frontier == 4 && !merged.isEnd)
        let all = DeliveryScanResult.backlog(fresh: fresh(1, 9), waiting: [2, 4], limit: 10)
        #expect(all.isEnd && all.rows.map(\.seq) == [1, 2, 4, 9])
    }

    @Test func ratesHoldDeliveriesBackWithoutFailingThem() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.machine.setWatermarks(["a": 10], now: h.now)
        for seq in 1...20 { h.accept(Int64(seq), DeliveryHarness.route("a")) }
        #expect(h.deliveries().count == 5, "the burst is half of the rate")
        h.stand(1_000_000_000)
        h.pass(1)
        #expect(h.deliveries().count == 5, "tokens beyond the burst are not kept")
        #expect(h.machine.counters.refused == 0)
    }

    @Test func aWarmingClientGetsAGrowingShareAndAllWhenAlone() {
        var h = DeliveryHarness { $0.window = 10_000 }
        let old = h.liveClient("a")
        let new = h.connect("a", warmUp: 10)
        func share(_ h: inout DeliveryHarness, from: Int64) -> Int {
            for seq in from..<(from + 300) { h.accept(seq, DeliveryHarness.route("a")) }
            return h.deliveries().filter { $0.client == new }.count
        }
        #expect(share(&h, from: 1) == 0)
        h.stand(5_000_000_000)
        let half = share(&h, from: 1_000)
        #expect((80...120).contains(half), "a third of the messages at half its weight, got \(half)")
        h.stand(5_000_000_000)
        #expect(share(&h, from: 2_000) == 150)
        h.disconnect(old)
        _ = h.deliveries()
    }

    @Test func drainingWritesWhatSomeHaveFinished() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        _ = h.liveClient("b")
        h.accept(1, DeliveryHarness.route("a", "b"))
        h.acknowledge(h.deliveries()[0])
        h.machine.drain(&h.moment)
        #expect(h.settlements().map(\.pending.count) == [1])
        h.accept(2, DeliveryHarness.route("a"))
        #expect(h.deliveries().isEmpty)
    }
}
