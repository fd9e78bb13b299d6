import Testing

@testable import KiteQCore

@Suite struct DeliveryPullTests {
    private let route = DeliveryHarness.route("a")
    private static let second: MonotonicTime = 1_000_000_000

    /// A group that is here by pulls, and whose backlog is known to be empty.
    private func pulled(_ adjust: (inout DeliveryLimits) -> Void = { _ in }) throws -> DeliveryHarness {
        var h = DeliveryHarness(adjust)
        h.endPull(try h.pull("a"))
        h.scanAll()
        return h
    }

    @Test func aPullGetsAllThatThereIsAtOnceAndNothingMore() throws {
        var h = try pulled()
        for seq in 1...5 { h.accept(Int64(seq), route) }
        #expect(h.deliveries().isEmpty, "nobody waits")
        let client = try h.pull("a", max: 3)
        let batch = h.deliveries()
        #expect(batch.count == 3 && batch.allSatisfy { $0.client == client && $0.attempt == 1 })
        #expect(h.machine.gauges.waitingPulls == 0 && h.machine.gauges.receipts == 3)
        #expect(h.settle(batch, "a") == [.settled, .settled, .settled])
        #expect(h.deliveries().isEmpty, "it has room again, and waits no more")
        #expect(h.settlements().count == 3)
        #expect(h.machine.gauges.receipts == 0 && h.machine.isEmptyOfClients)
    }

    @Test func aPullThatWaitsGetsTheFirstThatComes() throws {
        var h = try pulled()
        let client = try h.pull("a")
        h.accept(1, route)
        h.accept(2, route)
        #expect(h.deliveries().map(\.client) == [client])
        #expect(h.machine.gauges.queued == 1)
    }

    @Test func aGroupThatWasAwayGetsItsBacklog() throws {
        var h = DeliveryHarness()
        _ = try h.pull("a")
        while let scan = h.nextScan() {
            let isBacklog = scan.kind == .backlog(after: 0)
            h.finish(
                scan, .init(rows: isBacklog ? [.init(seq: 3, kind: .fresh(route))] : [], isEnd: true),
                loaded: isBacklog ? [h.fresh(3, route)] : [])
        }
        #expect(h.deliveries().count == 1)
    }

    @Test func severalPullsShareAndConnectionsTakeTheirPart() throws {
        var h = try pulled()
        let connection = h.connect("a")
        let pull = try h.pull("a")
        for seq in 1...4 { h.accept(Int64(seq), route) }
        let sent = h.deliveries()
        #expect(Set(sent.map(\.client)) == [connection, pull])
        #expect(sent.filter { $0.client == pull }.count == 1)
    }

    // MARK: Time

    @Test func whatIsNotAcknowledgedInTimeIsAFailedAttempt() throws {
        var h = try pulled()
        h.accept(1, route)
        _ = try h.pull("a", visibility: 5 * Self.second)
        let first = h.deliveries()
        h.pass(4 * Self.second)
        #expect(h.machine.counters.timedOut == 0)
        h.pass(2 * Self.second)
        #expect(h.machine.counters.timedOut == 1 && h.machine.gauges.queued == 1)
        _ = try h.pull("a")
        let second = h.deliveries()
        #expect(second.map(\.attempt) == [2])
        #expect(
            h.settle(first, "a") == [.settled], "the group is done with it, though another caller has it in its hands")
        #expect(h.settle(second, "a") == [.tooLate])
    }

    @Test func aLateAcknowledgementStillCountsWhileNobodyHasTheMessage() throws {
        var h = try pulled()
        h.accept(1, route)
        _ = try h.pull("a", visibility: 5 * Self.second)
        let sent = h.deliveries()
        h.pass(6 * Self.second)
        #expect(h.settle(sent, "a") == [.settled])
        #expect(h.settlements().map(\.isRemoval) == [true])
        #expect(h.settle(sent, "a") == [.tooLate], "and once only")
    }

    @Test func aReceiptThatWasLateForLongIsForgotten() throws {
        var h = try pulled { $0.pull.lateTime = 3 * Self.second }
        h.accept(1, route, DeliveryHarness.message(deliverLimit: 1))
        _ = try h.pull("a", visibility: 5 * Self.second)
        _ = h.deliveries()
        h.pass(6 * Self.second)
        #expect(h.machine.gauges.receipts == 1)
        h.pass(4 * Self.second)
        #expect(h.machine.gauges.receipts == 0)
        #expect(h.machine.isEmptyOfClients)
    }

    @Test(arguments: [(0, 1), (10, 10), (7_200, 3_600)]) func visibilityIsBroughtWithinItsBounds(
        asked: Int, seconds: Int
    ) throws {
        var h = try pulled()
        h.accept(1, route)
        let id = try h.pull("a", visibility: MonotonicTime(asked) * Self.second)
        #expect(
            h.machine.clients[h.machine.clients.index(of: id)!].window.timeout == MonotonicTime(seconds) * Self.second)
    }

    // MARK: Answers

    @Test func aRefusalIsAFailedAttemptWithItsReason() throws {
        var h = try pulled()
        h.accept(1, route, DeliveryHarness.message(deliverLimit: 1))
        _ = try h.pull("a")
        #expect(h.settle(h.deliveries(), "a", false) == [.settled])
        #expect(h.settlements().first?.dead.map(\.lastError) == ["not now"])
        #expect(h.machine.groupStatus(now: h.now).first?.counters.deadLettered == 1)
    }

    @Test func nobodyElseAnswers() throws {
        var h = try pulled()
        h.accept(1, route)
        _ = try h.pull("a", key: 1)
        let sent = h.deliveries()
        #expect(h.settle(sent, "b", key: 1) == [.notYours])
        #expect(h.settle(sent, "a", key: 2) == [.tooLate], "a guess")
        let stranger = DeliveryMachine.PullReceipt(client: DeliveryClientID(rawValue: .max), key: 1, opaque: 1)
        #expect(
            h.machine.settle([stranger], group: "a", isSuccess: true, &h.moment)
                == [.tooLate])
        let connection = h.liveClient("a")
        let forged = DeliveryMachine.PullReceipt(client: connection, key: 0, opaque: 1)
        #expect(
            h.machine.settle([forged], group: "a", isSuccess: true, &h.moment) == [.tooLate],
            "a connection answers for itself")
        #expect(h.settle(sent, "a", key: 1) == [.settled])
    }

    @Test func whatDoesNotReachItsCallerGoesBackInOrderAndWasNoAttempt() throws {
        var h = try pulled()
        for seq in 1...3 { h.accept(Int64(seq), route) }
        let gone = try h.pull("a", max: 2)
        let lost = h.deliveries().map(\.message.id)
        h.endPull(gone)
        _ = try h.pull("a")
        let sent = h.deliveries()
        #expect(Array(sent.map(\.message.id).prefix(2)) == lost)
        #expect(sent.map(\.attempt) == [1, 1, 1])
        #expect(h.machine.counters.lostWithConnection == 0)
    }

    // MARK: Presence

    @Test func aGroupIsHereForAWhileAfterItsLastPull() throws {
        var h = try pulled()
        let volatile = DeliveryHarness.route(volatile: ["a"])
        h.accept(1, volatile)
        #expect(h.machine.presentGroups == ["a"] && h.machine.gauges.queued == 1, "kept for the next pull")
        h.pass(h.machine.limits.pull.lingering + Self.second)
        #expect(h.left() == ["a"] && h.machine.presentGroups.isEmpty)
        #expect(h.settlements().map(\.isRemoval) == [true], "it counts as delivered")
        h.accept(2, volatile)
        #expect(h.settlements().map(\.isRemoval) == [true])
    }

    @Test func aGroupIsHereAsLongAsItHasReceipts() throws {
        var h = try pulled()
        let volatile = DeliveryHarness.route(volatile: ["a"])
        h.accept(1, volatile)
        _ = try h.pull("a", visibility: 60 * Self.second)
        let sent = h.deliveries()
        h.pass(50 * Self.second)
        h.accept(2, volatile)
        #expect(h.machine.isPresent("a") && h.settlements().isEmpty)
        #expect(h.settle(sent, "a") == [.settled])
        h.pass(h.machine.limits.pull.lingering + Self.second)
        #expect(!h.machine.isPresent("a"))
    }

    @Test func aConnectionKeepsTheGroupHere() throws {
        var h = try pulled()
        let connection = h.connect("a")
        h.pass(h.machine.limits.pull.lingering * 2)
        #expect(h.left().isEmpty && h.machine.isPresent("a"))
        h.disconnect(connection)
        #expect(h.left() == ["a"])
    }

    @Test func aStopFailsWhatIsOutAndKeepsTheRest() throws {
        var h = try pulled()
        h.accept(1, route)
        h.accept(2, route)
        _ = try h.pull("a", max: 1)
        #expect(h.deliveries().count == 1)
        h.machine.endPulls(&h.moment)
        #expect(h.left().contains("a"))
        #expect(
            h.settlements().map(\.pending) == [
                [.init(group: "a", attempts: 1, dueAt: 0, lastError: "the connection was lost")]
            ])
        #expect(h.machine.gauges.messages == 0 && h.machine.gauges.receipts == 0, "the other is the store's, fresh")
    }

    // MARK: Bounds

    @Test func pullsThatWaitAreBounded() throws {
        var h = try pulled {
            $0.pull.waitingOfGroup = 2
            $0.pull.waiting = 3
        }
        let first = try h.pull("a")
        _ = try h.pull("a")
        #expect(h.tryPull("a") == .failure(.tooManyPulls))
        _ = try h.pull("b")
        #expect(h.tryPull("c") == .failure(.tooManyPulls))
        h.endPull(first)
        _ = try h.pull("c")
        #expect(h.machine.gauges.waitingPulls == 3)
    }

    @Test func receiptsAreBoundedThosePromisedIncluded() throws {
        var h = try pulled {
            $0.pull.receiptsOfGroup = 5
            $0.pull.receipts = 8
        }
        for seq in 1...9 { h.accept(Int64(seq), route) }
        _ = try h.pull("a", max: 4)
        let four = h.deliveries()
        _ = try h.pull("a", max: 4)
        let fifth = h.deliveries()
        #expect(four.count == 4 && fifth.count == 1, "no more than there is room for")
        #expect(h.tryPull("a") == .failure(.tooManyReceipts))
        let other = try h.pull("b", max: 10)
        #expect(h.machine.gauges.receipts == 8, "three are promised")
        #expect(h.tryPull("c") == .failure(.tooManyReceipts))
        h.endPull(other)
        #expect(h.settle(four, "a").count == 4)
        _ = try h.pull("a", max: 10)
        #expect(h.deliveries().count == 4)
    }
}
