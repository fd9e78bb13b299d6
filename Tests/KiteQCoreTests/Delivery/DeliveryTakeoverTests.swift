import Testing

@testable import KiteQCore

/// Fresh messages of a dead broker become this one's as they are loaded for one group: the others of their route must hear of
/// them, whatever becomes of that load.
@Suite struct DeliveryTakeoverTests {
    private let both = DeliveryHarness.route("a", "b")

    @Test func theOtherGroupsReadWhatWasLoadedForAGroupThatWent() {
        var h = DeliveryHarness()
        let a = h.liveClient("a")
        _ = h.liveClient("b")
        h.survey(ShardSurvey(abandoned: ["a": 5]))
        let scan = h.nextScan()!
        h.disconnect(a)
        h.finish(scan, .init(rows: [.init(seq: 5, kind: .fresh(both))], isEnd: true), loaded: [h.fresh(5, both)])
        let next = h.nextScan()
        #expect(next?.group == "b" && next?.kind == .backlog(after: 4))
    }

    @Test func theOtherGroupsReadWhatWasLoadedBeyondTheEndOfAPage() {
        var h = DeliveryHarness()
        _ = h.liveClient("b")
        h.accept(1, both)
        h.acknowledge(h.deliveries()[0])
        #expect(h.unwritten().count == 1)
        let a = h.connect("a")
        _ = h.nextScan().map { h.finish($0, .init(rows: [], isEnd: true)) }
        let scan = h.nextScan()!
        #expect(scan.group == "a" && scan.kind == .backlog(after: 0))
        let rows = [DeliveryScanResult.Row(seq: 1, kind: .fresh(both)), .init(seq: 5, kind: .fresh(both))]
        h.finish(scan, .init(rows: rows, isEnd: true), loaded: [h.fresh(5, both)])
        h.disconnect(a)
        #expect(h.nextScan()?.kind == .backlog(after: 4))
        #expect(h.deliveries().isEmpty)
    }

    /// It turned tracked between the page and the load, which took the group's row.
    @Test func aRowThatWasTakenBeyondTheEndOfAPageIsDelivered() {
        var h = DeliveryHarness()
        _ = h.liveClient("b")
        h.accept(1, both)
        h.acknowledge(h.deliveries()[0])
        #expect(h.unwritten().count == 1)
        _ = h.connect("a")
        _ = h.nextScan().map { h.finish($0, .init(rows: [], isEnd: true)) }
        let rows = [DeliveryScanResult.Row(seq: 1, kind: .fresh(both)), .init(seq: 5, kind: .fresh(both))]
        h.finish(
            h.nextScan()!, .init(rows: rows, isEnd: true), loaded: [h.tracked(5, "a", attempts: 1, dueAt: 0)])
        #expect(h.deliveries().count == 1)
    }
}
