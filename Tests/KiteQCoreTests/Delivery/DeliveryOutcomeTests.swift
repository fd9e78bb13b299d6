import Testing

@testable import KiteQCore

@Suite struct DeliveryOutcomeTests {
    @Test func aMessageGoesToOneClientOfEachGroupAndIsRemovedWhenAllHaveIt() {
        var h = DeliveryHarness()
        let a = h.liveClient("a")
        let b = h.liveClient("b")
        _ = h.liveClient("b")
        h.accept(1, DeliveryHarness.route("a", "b"))
        let sent = h.deliveries()
        #expect(sent.count == 2)
        #expect(sent.contains { $0.client == a })
        h.acknowledge(sent[0])
        #expect(h.settlements().isEmpty)
        h.acknowledge(sent[1])
        let settled = h.settlements()
        #expect(settled.count == 1 && settled[0].isRemoval && settled[0].seq == 1)
        #expect(h.machine.gauges.messages == 0)
        #expect(h.actions.finished.count == 1)
        _ = b
    }

    @Test func threeAttemptsFollowAtOnceAndTheFourthIsWritten() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        for attempt in 1...3 {
            let sent = h.deliveries()
            #expect(sent.count == 1, "attempt \(attempt)")
            h.acknowledge(sent[0], false, "not now")
        }
        #expect(h.deliveries().isEmpty)
        let settled = h.settlements()
        #expect(settled.count == 1)
        #expect(settled[0].wasTracked == false)
        #expect(settled[0].pending == [.init(group: "a", attempts: 3, dueAt: h.wall + 5_000, lastError: "not now")])
        #expect(h.machine.gauges.messages == 0, "it is left to the store")
    }

    @Test func aDueRowIsScannedForWhenTheStoreSaysSo() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        for _ in 1...3 { h.acknowledge(h.deliveries()[0], false) }
        _ = h.settlements()
        h.pass(6_000_000_000)
        #expect(h.nextScan() == nil)
        h.survey(ShardSurvey(due: ["a"]))
        let scan = h.nextScan()
        #expect(scan?.group == "a" && scan?.kind == .due)
        h.finish(
            scan!, DeliveryScanResult(rows: [.init(seq: 1, kind: .tracked)], isEnd: true),
            loaded: [h.tracked(1, "a", attempts: 3, dueAt: 0)])
        let sent = h.deliveries()
        #expect(sent.count == 1)
        h.acknowledge(sent[0], false)
        #expect(h.settlements().first?.pending.first?.attempts == 4)
    }

    @Test func attemptsUsedUpLeadToTheDeadLettersAndLeaveTheOthersAlone() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        _ = h.liveClient("b")
        h.accept(1, DeliveryHarness.route("a", "b"), DeliveryHarness.message(deliverLimit: 1))
        let sent = h.deliveries()
        let toA = sent.first { h.machine.groups[h.machine.clients[Int($0.client.index)].group].name == "a" }!
        let toB = sent.first { $0.client != toA.client }!
        h.acknowledge(toA, false, "poison")
        let settled = h.settlements()
        #expect(settled.count == 1)
        #expect(settled[0].dead == [.init(group: "a", attempts: 1, reason: .attemptsUsedUp, lastError: "poison")])
        #expect(
            settled[0].pending == [.init(held: "b", attempts: 0)],
            "b keeps what it is owed: its delivery is under way, only a loss of memory makes it due")
        h.acknowledge(toB)
        #expect(h.settlements().map(\.done) == [["b"]])
    }

    @Test func theSameForTheOnlyGroupIsOneSettlement() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"), DeliveryHarness.message(deliverLimit: 2))
        for _ in 1...2 { h.acknowledge(h.deliveries()[0], false) }
        let settled = h.settlements()
        #expect(settled.count == 1)
        #expect(settled[0].dead.count == 1 && settled[0].pending.isEmpty && !settled[0].wasTracked)
    }

    @Test func noAnswerInTimeIsAFailedAttempt() {
        var h = DeliveryHarness()
        let first = h.liveClient("a")
        let second = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        let sent = h.deliveries()
        h.pass(4_999_000_000)
        #expect(h.deliveries().isEmpty)
        h.pass(2_000_000)
        let again = h.deliveries()
        #expect(again.count == 1)
        #expect(again[0].client == (sent[0].client == first ? second : first), "another client has its turn")
        #expect(h.machine.counters.timedOut == 1)
    }

    @Test func aLateSuccessCountsWhileTheMessageWaits() {
        var h = DeliveryHarness { $0.window = 1 }
        let client = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        let first = h.deliveries()[0]
        h.machine.setWritable(client, false, now: h.now, wall: h.wall, &h.actions)
        h.pass(5_100_000_000)
        #expect(h.deliveries().isEmpty)
        h.acknowledge(first)
        #expect(h.settlements().map(\.isRemoval) == [true])
        #expect(h.machine.counters.lateAcknowledgements == 1)
    }

    @Test func anUnknownOpaqueAndASecondAnswerChangeNothing() {
        var h = DeliveryHarness()
        let client = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        let sent = h.deliveries()[0]
        h.machine.acknowledge(
            [.init(opaque: sent.opaque &+ 77, isSuccess: true)], client: client, now: h.now, wall: h.wall, &h.actions)
        #expect(h.settlements().isEmpty)
        h.acknowledge(sent)
        h.acknowledge(sent, false)
        #expect(h.settlements().count == 1)
        #expect(h.machine.counters.unknownAcknowledgements == 2)
    }

    @Test func expiredMessagesAreNotSent() {
        var h = DeliveryHarness { $0.window = 1 }
        _ = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        h.accept(2, DeliveryHarness.route("a"), DeliveryHarness.message(expiresIn: 1_000))
        let first = h.deliveries()[0]
        h.pass(1_500_000_000)
        h.acknowledge(first)
        #expect(h.deliveries().isEmpty)
        let dead = h.settlements().flatMap(\.dead)
        #expect(dead == [.init(group: "a", attempts: 0, reason: .expired)])
    }

    @Test func whatSomeHaveFinishedIsWrittenAfterASecond() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        _ = h.liveClient("b")
        h.accept(1, DeliveryHarness.route("a", "b"))
        let sent = h.deliveries()
        h.acknowledge(sent[0])
        h.pass(900_000_000)
        #expect(h.settlements().isEmpty)
        h.pass(200_000_000)
        let settled = h.settlements()
        #expect(settled.count == 1 && settled[0].pending.count == 1 && !settled[0].wasTracked)
        h.pass(1_500_000_000)
        #expect(h.settlements().isEmpty, "once")
        h.acknowledge(sent[1])
        #expect(h.settlements().map(\.wasTracked) == [true])
    }

    @Test func flyMessagesAreTriedAtOnceAndForgotten() {
        var h = DeliveryHarness()
        let client = h.liveClient("a")
        h.machine.acceptFly(
            [(DeliveryHarness.message(), DeliveryHarness.route("a", "away"))], now: h.now, wall: h.wall, &h.actions)
        for _ in 1...3 { h.acknowledge(h.deliveries()[0], false) }
        #expect(h.deliveries().isEmpty)
        #expect(h.settlements().isEmpty)
        #expect(h.machine.gauges.messages == 0)
        h.machine.acceptFly(
            [(DeliveryHarness.message(), DeliveryHarness.route("a"))], now: h.now, wall: h.wall, &h.actions)
        h.disconnect(client)
        #expect(h.settlements().isEmpty)
        #expect(h.machine.gauges.messages == 0)
    }
}
