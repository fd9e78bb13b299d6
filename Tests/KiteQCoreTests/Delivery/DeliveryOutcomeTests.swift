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
        #expect(scan?.group == "a" && scan?.kind == .due(waitingUpTo: .max))
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
        let toA = sent.first {
            h.machine.groups[h.machine.clients[h.machine.clients.index(of: $0.client)!].group].name == "a"
        }!
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

    /// In whichever state the next attempt is.
    @Test func aLateSuccessCountsWhileTheMessageIsInFlightAgain() {
        var h = DeliveryHarness()
        let first = h.liveClient("a")
        let second = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        let sent = h.deliveries()[0]
        h.pass(5_100_000_000)
        let again = h.deliveries()[0]
        #expect(Set([sent.client, again.client]) == [first, second])
        h.acknowledge(sent)
        #expect(h.settlements().map(\.isRemoval) == [true])
        #expect(h.machine.gauges.messages == 0)
        h.acknowledge(again)
        #expect(h.settlements().isEmpty && h.machine.gauges.inFlight == 0, "that answer finds nothing to settle")
        #expect(h.machine.counters.acknowledged == 1)
    }

    @Test func aLateSuccessCountsWhereTheMessageIsInTheStoreAlone() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        let first = h.deliveries()[0]
        for _ in 1...3 { h.pass(5_100_000_000) }
        #expect(h.settlements().flatMap(\.pending).count == 1)
        #expect(h.machine.gauges.messages == 0)
        h.acknowledge(first)
        let settled = h.settlements()
        #expect(settled.map(\.late) == [["a"]] && settled.map(\.seq) == [1])
        h.acknowledge(first)
        #expect(h.settlements().isEmpty, "an answer counts once")
    }

    @Test func aLateSuccessTakesBackADeadLetter() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"), DeliveryHarness.message(deliverLimit: 1))
        let sent = h.deliveries()[0]
        h.pass(5_100_000_000)
        #expect(h.settlements().flatMap(\.dead).count == 1)
        h.acknowledge(sent)
        #expect(h.settlements().map(\.late) == [["a"]])
    }

    @Test func aLateRefusalChangesNothing() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"), DeliveryHarness.message(deliverLimit: 1))
        let sent = h.deliveries()[0]
        h.pass(5_100_000_000)
        _ = h.settlements()
        h.acknowledge(sent, false)
        #expect(h.settlements().isEmpty)
    }

    /// It came back from the store, in another place of memory.
    @Test func aLateSuccessFindsTheMessageReadBack() {
        var h = DeliveryHarness { $0.window = 1 }
        let client = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        let first = h.deliveries()[0]
        for _ in 1...3 { h.pass(5_100_000_000) }
        _ = h.settlements()
        h.machine.setWritable(client, false, &h.moment)
        h.survey(ShardSurvey(due: ["a"]))
        h.finish(
            h.nextScan()!, DeliveryScanResult(rows: [.init(seq: 1, kind: .tracked)], isEnd: true),
            loaded: [h.tracked(1, "a", attempts: 3, dueAt: 0)])
        #expect(h.machine.gauges.queued == 1)
        h.acknowledge(first)
        #expect(h.settlements().map(\.done) == [["a"]])
        #expect(h.machine.gauges.messages == 0)
    }

    /// A handler that takes a fiftieth of a second, one at a time, and a client that takes all it is sent into its hands.
    @Test func aSlowConsumerIsSentWhatItCanHandle() {
        var h = DeliveryHarness()
        let client = h.liveClient("a")
        for seq in 1...1_000 as ClosedRange<Int64> {
            h.accept(seq, DeliveryHarness.route("a"), DeliveryHarness.message(deliverLimit: 3))
        }
        var hands: [DeliveryActions.Delivery] = []
        var handled: [MessageID: Int] = [:]
        for _ in 0..<4_000 where h.machine.gauges.messages > 0 {
            h.pass(50_000_000)
            hands += h.deliveries()
            _ = h.settlements()
            guard !hands.isEmpty else { continue }
            let done = hands.removeFirst()
            handled[done.message.id, default: 0] += 1
            h.acknowledge(done)
        }
        #expect(handled.count == 1_000 && h.machine.gauges.messages == 0, "\(handled.count), \(h.machine.gauges)")
        // What the first full window had too much came once more, and now and then some of a window that grows.
        let again = handled.values.reduce(0, +) - 1_000
        #expect(again < 1_000, "\(again)")
        _ = client
    }

    @Test func aLateSuccessCountsWhileTheMessageWaits() {
        var h = DeliveryHarness { $0.window = 1 }
        let client = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"))
        let first = h.deliveries()[0]
        h.machine.setWritable(client, false, &h.moment)
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
            [.init(opaque: sent.opaque &+ 77, isSuccess: true)], client: client, &h.moment)
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
            [(DeliveryHarness.message(), DeliveryHarness.route("a", "away"))], &h.moment)
        for _ in 1...3 { h.acknowledge(h.deliveries()[0], false) }
        #expect(h.deliveries().isEmpty)
        #expect(h.settlements().isEmpty)
        #expect(h.machine.gauges.messages == 0)
        h.machine.acceptFly(
            [(DeliveryHarness.message(), DeliveryHarness.route("a"))], &h.moment)
        h.disconnect(client)
        #expect(h.settlements().isEmpty)
        #expect(h.machine.gauges.messages == 0)
    }
}
