import Testing

@testable import KiteQCore

@Suite struct DeliveryPauseTests {
    private let route = DeliveryHarness.route("a")

    @Test func nothingIsDeliveredAndTheOthersDoNotFeelIt() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        let other = h.liveClient("b")
        h.setPaused("a")
        h.accept(1, DeliveryHarness.route("a", "b"))
        h.accept(2, route)
        let sent = h.deliveries()
        #expect(sent.map(\.client) == [other])
        #expect(h.nextScan() == nil, "nothing is read for it")
        h.acknowledge(sent[0])
        #expect(h.settlements().map(\.pending) == [[.init(group: "a", attempts: 0, dueAt: 0)]])
        #expect(h.machine.gauges.messages == 0, "its messages cost no memory")
    }

    @Test func whatWaitsLeavesMemoryAndWhatIsInFlightGoesOn() {
        var h = DeliveryHarness { $0.window = 2 }
        _ = h.liveClient("a")
        for seq in 1...5 { h.accept(Int64(seq), route) }
        let sent = h.deliveries()
        h.setPaused("a")
        #expect(h.machine.gauges.messages == 2 && h.machine.gauges.queued == 0)
        #expect(h.settlements().isEmpty, "fresh rows are its backlog")
        h.acknowledge(sent[0])
        #expect(h.settlements().map(\.isRemoval) == [true])
        h.acknowledge(sent[1], false, "no")
        #expect(
            h.settlements().map(\.pending) == [[.init(group: "a", attempts: 1, dueAt: 0, lastError: "no")]],
            "the attempt is kept")
        #expect(h.deliveries().isEmpty && h.machine.gauges.messages == 0)
    }

    @Test func itsBacklogIsReadFromTheOldestWhenItGoesOn() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.setPaused("a")
        h.accept(1, route)
        h.accept(2, route)
        h.setPaused()
        var kinds: [DeliveryScan.Kind] = []
        while let scan = h.nextScan() {
            kinds.append(scan.kind)
            let isBacklog = scan.kind == .backlog(after: 0)
            h.finish(
                scan,
                .init(rows: isBacklog ? [1, 2].map { .init(seq: $0, kind: .fresh(route)) } : [], isEnd: true),
                loaded: isBacklog ? [h.fresh(1, route), h.fresh(2, route)] : [])
        }
        #expect(kinds.contains(.backlog(after: 0)) && kinds.contains { if case .due = $0 { true } else { false } })
        #expect(h.deliveries().count == 2)
        h.accept(3, route)
        #expect(h.deliveries().count == 1, "live again")
    }

    @Test func aGroupWithoutPersistenceIsKeptForWhileItIsHere() {
        var h = DeliveryHarness { $0.window = 1 }
        let client = h.liveClient("v")
        let volatile = DeliveryHarness.route(volatile: ["v"])
        h.accept(1, volatile)
        h.accept(2, volatile)
        let sent = h.deliveries()
        h.setPaused("v")
        h.accept(3, volatile)
        #expect(h.settlements().isEmpty, "2 and 3 wait in the store")
        h.acknowledge(sent[0], false)
        #expect(h.settlements().map { $0.pending.map(\.attempts) } == [[1]], "a failed attempt is no success")
        h.disconnect(client)
        h.accept(4, volatile)
        #expect(h.settlements().map(\.isRemoval) == [true], "away it counts as served, as ever")
    }

    @Test func aPageThatIsUnderWayIsNotDelivered() {
        var h = DeliveryHarness()
        _ = h.connect("a")
        _ = h.nextScan().map { h.finish($0, .init(rows: [], isEnd: true)) }
        let scan = h.nextScan()!
        h.accept(9, route)
        h.setPaused("a")
        h.finish(
            scan, .init(rows: [.init(seq: 3, kind: .tracked)], isEnd: true),
            loaded: [h.tracked(3, "a", attempts: 2, dueAt: 0)])
        #expect(h.deliveries().isEmpty && h.machine.gauges.messages == 0)
        let released = h.settlements()
        #expect(
            released.map(\.seq) == [3] && released[0].pending.map(\.attempts) == [2], "the row that was taken is let go"
        )
    }

    @Test func aGroupMayBePausedBeforeItIsKnownAndNamesCountByTheirBytes() {
        var h = DeliveryHarness()
        h.setPaused("caf\u{E9}")
        let decomposed = h.liveClient("cafe\u{301}")
        _ = h.connect("caf\u{E9}")
        #expect(h.nextScan() == nil)
        h.accept(1, DeliveryHarness.route("caf\u{E9}", "cafe\u{301}"))
        #expect(h.deliveries().map(\.client) == [decomposed])
        #expect(h.machine.groupStatus(now: h.now).filter(\.isPaused).map(\.name.utf8.count) == [5])
    }

    @Test func aPullWaitsInVainAndWhatGoesBackWaitsInTheStore() throws {
        var h = DeliveryHarness()
        h.endPull(try h.pull("a"))
        h.scanAll()
        h.accept(1, route)
        let client = try h.pull("a")
        #expect(h.deliveries().count == 1)
        h.setPaused("a")
        h.endPull(client)
        #expect(h.machine.gauges.messages == 0 && h.settlements().isEmpty)
        _ = try h.pull("a")
        h.accept(2, route)
        #expect(h.deliveries().isEmpty)
    }

    @Test func flyMessagesAreNotForAPausedGroup() {
        var h = DeliveryHarness { $0.window = 1 }
        _ = h.liveClient("a")
        for _ in 0..<2 {
            h.machine.acceptFly([(DeliveryHarness.message(), route)], &h.moment)
        }
        h.setPaused("a")
        h.machine.acceptFly([(DeliveryHarness.message(), route)], &h.moment)
        #expect(h.machine.counters.flyDropped == 2, "one that waited, and the new one")
        #expect(h.machine.gauges.messages == 1)
    }
}
