import Testing

@testable import KiteQCore

/// Groups that come and go, by names that never come again.
@Suite struct DeliveryGroupsTests {
    @Test func namesThatComeAndGoTakeNoPlace() {
        var h = DeliveryHarness(shards: 2)
        for number in 1...1_000 {
            let client = h.liveClient("group-\(number)")
            h.accept(Int64(number), DeliveryHarness.route("group-\(number)"))
            h.acknowledge(h.deliveries()[0])
            _ = h.settlements()
            h.disconnect(client)
            h.pass(50_000_000)
        }
        #expect(h.machine.groups.count == 1 && h.names.isEmpty)
    }

    @Test func whatIsKnownOfAGroupKeepsIt() {
        var h = DeliveryHarness()
        h.machine.setWatermarks(["bound": 10], now: h.now)
        h.survey(ShardSurvey(elsewhere: ["elsewhere"]))
        let client = h.liveClient("here")
        h.accept(1, DeliveryHarness.route("here", "owed"))
        h.pass(100_000_000)
        #expect(h.names == ["bound", "elsewhere", "here", "owed"])
        #expect(h.machine.groups[h.machine.groups.index(of: "bound")!].watermark == 10)
        h.machine.setWatermarks([:], now: h.now)
        h.survey(ShardSurvey())
        h.acknowledge(h.deliveries()[0])
        h.disconnect(client)
        h.pass(100_000_000)
        #expect(h.names.isEmpty && h.machine.groups.count == 4)
        #expect(h.machine.groups.places.allSatisfy { h.machine.slots.account(of: $0) == SlotTable.Account() })
    }

    @Test func twoSpellingsOfOneTextAreTwoGroups() {
        var h = DeliveryHarness()
        // é as one scalar, and as two.
        _ = h.liveClient("caf\u{E9}")
        h.accept(1, DeliveryHarness.route("cafe\u{301}"))
        h.pass(100_000_000)
        #expect(h.deliveries().isEmpty)
        h.accept(2, DeliveryHarness.route("caf\u{E9}"))
        #expect(h.deliveries().count == 1)
    }

    @Test func aScanOfAForgottenGroupSaysNothingOfTheNextInItsPlace() {
        var h = DeliveryHarness()
        let client = h.connect("first")
        let scan = h.nextScan()!
        h.disconnect(client)
        h.pass(50_000_000)
        _ = h.connect("second")
        #expect(h.names == ["second"] && h.machine.groups.index(of: "second") == scan.groupIndex)
        h.finish(
            scan, .init(rows: [.init(seq: 5, kind: .tracked)], isEnd: true),
            loaded: [h.tracked(5, "first", attempts: 1, dueAt: 0)])
        #expect(h.deliveries().isEmpty)
        #expect(h.settlements().map(\.pending) == [[.init(group: "first", attempts: 1, dueAt: 0)]])
        #expect(h.nextScan()?.group == "second")
    }
}
