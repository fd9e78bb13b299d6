import Testing

@testable import KiteQCore

/// Fresh messages that the store has as this broker's, and that are in no memory.
@Suite struct DeliveryStrayTests {
    @Test func aFreshMessageThatTwoPassesMissIsReadAgain() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.accept(9, DeliveryHarness.route("a"))
        let rows = [
            FreshMessage(seq: 5, route: DeliveryHarness.route("a", "away")),
            FreshMessage(seq: 9, route: DeliveryHarness.route("a")),
        ]
        h.machine.shards[0].strays = StrayWatch()
        let first = h.nextScan()!
        #expect(first.kind == .strays(of: [BindingName("a")], after: nil))
        h.finish(first, .strays(rows, next: nil))
        #expect(h.nextScan() == nil, "its insert may be about to be reported")
        h.pass(h.machine.limits.scanRetry * 5)
        let second = h.nextScan()!
        h.finish(second, .strays(rows, next: nil))
        #expect(h.machine.counters.strays == 1)
        let page = h.nextScan()!
        #expect(page.kind == .backlog(after: 4))
        h.finish(page, .backlog(fresh: rows, waiting: [], limit: 500), loaded: [h.fresh(5, rows[0].route)])
        #expect(h.deliveries().count == 2)
    }

    @Test func whatIsBeingReportedOrSettledIsNoStray() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        let rows = [5, 7].map { FreshMessage(seq: $0, route: DeliveryHarness.route("a")) }
        h.accept(7, DeliveryHarness.route("a"))
        h.machine.shards[0].strays = StrayWatch()
        h.finish(h.nextScan()!, .strays(rows, next: nil))
        h.accept(5, DeliveryHarness.route("a"))
        for delivery in h.deliveries() { h.acknowledge(delivery) }
        h.pass(h.machine.limits.scanRetry * 5)
        h.finish(h.nextScan()!, .strays(rows, next: nil))
        #expect(h.machine.counters.strays == 0)
        #expect(h.nextScan() == nil)
    }

    /// Publishes were acknowledged because the store has their messages: those that nobody here knows are looked for at once.
    @Test func aRepeatOfAMessageInNoMemoryIsLookedFor() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.accept(9, DeliveryHarness.route("a"))
        h.pass(h.machine.limits.scanRetry * 5)
        h.noteRepeats(of: [9])
        #expect(h.nextScan() == nil, "it is here")
        h.noteRepeats(of: [9, 5])
        #expect(h.nextScan()?.kind == .strays(of: [BindingName("a")], after: nil))
    }

    @Test func anotherServerIsAReasonToLook() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.pass(h.machine.limits.scanRetry * 5)
        #expect(h.nextScan() == nil)
        h.lookForStrays()
        #expect(h.nextScan()?.kind == .strays(of: [BindingName("a")], after: nil))
    }
}
