import Testing

@testable import KiteQCore

/// A message that ends its consumer takes nobody along.
@Suite struct DeliverySuspectTests {
    @Test func whatIsLostTogetherIsNoAttempt() {
        var h = DeliveryHarness()
        let first = h.liveClient("a")
        for seq in 1...20 as ClosedRange<Int64> {
            h.accept(seq, DeliveryHarness.route("a"), DeliveryHarness.message(deliverLimit: 1))
        }
        #expect(h.deliveries().count == 20)
        _ = h.liveClient("a")
        h.disconnect(first)
        #expect(h.settlements().isEmpty, "nobody knows which of them it was")
        let again = h.deliveries()
        #expect(again.count == 5, "a quarter of them is tried")
        #expect(again.allSatisfy { $0.attempt == 1 })
        for delivery in again.dropLast() { h.acknowledge(delivery) }
        #expect(h.deliveries().isEmpty, "one lot at a time")
        h.acknowledge(again[4])
        #expect(h.deliveries().count == 5)
    }

    @Test func aLossOfOneAloneIsAFailedAttempt() {
        var h = DeliveryHarness()
        let first = h.liveClient("a")
        _ = h.liveClient("a")
        h.accept(1, DeliveryHarness.route("a"), DeliveryHarness.message(deliverLimit: 1))
        #expect(h.deliveries().map(\.client) == [first])
        h.disconnect(first)
        #expect(h.settlements().flatMap(\.dead).count == 1)
    }

    /// Its connections are lost one after the other; the last one is not alone for that.
    @Test func aConsumerWithSeveralConnectionsIsOneLoss() {
        var h = DeliveryHarness()
        let clients = (0..<4).map { _ in h.liveClient("a") }
        for seq in 1...4 as ClosedRange<Int64> {
            h.accept(seq, DeliveryHarness.route("a"), DeliveryHarness.message(deliverLimit: 1))
        }
        #expect(Set(h.deliveries().map(\.client)) == Set(clients))
        for client in clients {
            h.stand(1_000)
            h.disconnect(client)
        }
        #expect(h.settlements().flatMap(\.dead).isEmpty)
    }

    @Test(arguments: [(21, 0), (21, 20), (500, 250)]) func onlyThePoisonDies(messages: Int, poisonAt: Int) {
        var play = FatalMessages(messages, fatal: [poisonAt], limit: 5)
        play.run()
        #expect(play.dead == 1)
        #expect(play.handled.count == messages - 1 && play.handled.values.allSatisfy { $0 == 1 })
        #expect(play.deaths <= 5 + 5, "a quarter of the suspects at a time, then one alone")
        #expect(play.isAtRest)
    }

    /// Each costs its own search, and no attempt of one costs another search.
    @Test func ofSeveralThatAreFatalEachDiesAlone() {
        let (fatal, limit) = ([0, 1, 77, 200, 201, 399], 4)
        var play = FatalMessages(400, fatal: Set(fatal), limit: limit)
        play.run()
        #expect(play.dead == fatal.count)
        #expect(play.handled.count == 400 - fatal.count && play.handled.values.allSatisfy { $0 == 1 })
        #expect(play.deaths <= fatal.count * (limit + 4), "\(play.deaths)")
        #expect(play.isAtRest)
    }

    /// The others of the group go on; one is kept free for those that are tried.
    @Test func otherClientsGoOnMeanwhile() {
        var h = DeliveryHarness { $0.window = 4 }
        let first = h.liveClient("a")
        for seq in 1...4 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        _ = h.deliveries()
        let others = [h.liveClient("a"), h.liveClient("a")]
        for seq in 5...8 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        var busy = h.deliveries()
        #expect(busy.count == 4 && Set(busy.map(\.client)) == Set(others))
        h.disconnect(first)
        for seq in 9...12 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        let more = h.deliveries()
        #expect(Set(more.map(\.client)).count == 1, "one of the two is kept free")
        let free = others.first { $0 != more.first?.client }!
        for delivery in busy where delivery.client == free { h.acknowledge(delivery) }
        let tried = h.deliveries().filter { $0.client == free }
        #expect(tried.count == 1, "alone")
        h.acknowledge(tried[0])
        busy = h.deliveries()
        #expect(!busy.isEmpty)
    }

    /// As many as may be tried are in flight: no client has to be kept free for more.
    @Test func whileNoMoreMayBeTriedNoClientIsKeptFree() {
        var h = DeliveryHarness { $0.window = 8 }
        let first = h.liveClient("a")
        for seq in 1...4 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        _ = h.deliveries()
        let others = [h.liveClient("a"), h.liveClient("a")]
        h.disconnect(first)
        let tried = h.deliveries()
        #expect(tried.count == 1)
        for seq in 9...10 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        let more = h.deliveries()
        #expect(more.count == 2 && more.allSatisfy { $0.client == others.first { $0 != tried[0].client } })
    }

    /// Kept free is one that can take it: a client that reads nothing is the one that has the least in flight.
    @Test(arguments: [true, false]) func aClientThatCannotTakeThemIsNotTheOneThatIsKeptFree(onlyPublishes: Bool) {
        var h = DeliveryHarness { $0.window = 8 }
        let first = h.liveClient("a")
        for seq in 1...8 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        for delivery in h.deliveries().prefix(1) { h.acknowledge(delivery) }
        let (useless, second) = (h.liveClient("a"), h.liveClient("a"))
        if onlyPublishes {
            h.machine.markPublisher(useless)
        } else {
            h.machine.setWritable(useless, false, now: h.now, wall: h.wall, &h.actions)
        }
        for seq in 9...10 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        let busy = h.deliveries().filter { $0.client == second }
        h.disconnect(first)
        let meanwhile = h.deliveries()
        for delivery in busy + meanwhile where delivery.client == second { h.acknowledge(delivery) }
        #expect(h.deliveries().contains { $0.client == second && $0.message.id != meanwhile.first?.message.id })
        #expect(h.machine.groups[0].suspects.inFlight > 0, "they are tried")
    }

    // MARK: Clients that only publish

    @Test func aClientThatPublishesAndWasNeverSeenToConsumeIsNotChosen() {
        var h = DeliveryHarness()
        let (consumer, publisher) = (h.liveClient("a"), h.liveClient("a"))
        h.machine.markPublisher(publisher)
        for seq in 1...10 as ClosedRange<Int64> {
            h.accept(seq, DeliveryHarness.route("a"), DeliveryHarness.message(deliverLimit: 1))
        }
        let sent = h.deliveries()
        #expect(sent.count == 10 && sent.allSatisfy { $0.client == consumer }, "each has one attempt alone")
        for delivery in sent { h.acknowledge(delivery) }
        // With an attempt to spare it is tried now and then: applications do both over one connection.
        for seq in 11...20 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        let trials = h.deliveries().filter { $0.client == publisher }
        #expect(trials.count == 1)
        h.acknowledge(trials[0])
        for seq in 21...40 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        #expect(h.deliveries().filter { $0.client == publisher }.count == 10, "it consumes")
    }

    @Test func theOnlyOnesThereAreGetTheMessages() {
        var h = DeliveryHarness()
        let clients = [h.liveClient("a"), h.liveClient("a")]
        for client in clients { h.machine.markPublisher(client) }
        for seq in 1...4 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        #expect(Set(h.deliveries().map(\.client)) == Set(clients))
        h.disconnect(clients[0])
        h.disconnect(clients[1])
        #expect(h.machine.groups[0].unproven == 0)
    }

    @Test func suspectsAreForgottenSomeMinutesAfterTheLastLoss() {
        var suspects = Suspects()
        suspects.insert([(1, 0), (2, 0), (1, 1)], now: 0)
        #expect(suspects.contains(1, 0) && suspects.contains(1, 1) && !suspects.contains(2, 1))
        suspects.forget(now: 599_000_000_000)
        #expect(!suspects.isEmpty)
        suspects.forget(now: 600_000_000_000)
        #expect(suspects.isEmpty)
    }

    /// How many of these are tried together with the first.
    private func lot(_ suspects: Suspects, _ seqs: ClosedRange<Int64>) -> [Int64] {
        var suspects = suspects
        suspects.wasSent(seqs.lowerBound, 0)
        return seqs.filter { suspects.mayBeTried($0, 0) }
    }

    @Test func whatIsLostIsDividedInLots() {
        var suspects = Suspects()
        suspects.insert((1...512).map { ($0, 0) }, now: 0)
        #expect(lot(suspects, 1...512) == Array(1...128))
        #expect(lot(suspects, 300...512) == Array(300...384))
        // A lot that is lost is divided; the others stay what they are.
        suspects.insert((1...128).map { ($0, 0) }, now: 1)
        #expect(lot(suspects, 1...512) == Array(1...32))
        #expect(lot(suspects, 200...512) == Array(200...256))
        suspects.insert([(40, 0), (41, 0), (42, 0)], now: 2)
        #expect(lot(suspects, 40...512) == [40])
        suspects.clear(1, 0)
        #expect(!suspects.contains(1, 0))
        #expect(lot(suspects, 2...512) == Array(2...32))
        suspects.insert([], now: 3)
        #expect(lot(suspects, 2...512) == Array(2...32))
    }

    @Test func oneLotIsTriedAtATime() {
        var suspects = Suspects()
        suspects.insert((1...8).map { ($0, 0) }, now: 0)
        #expect(suspects.mayBeTried(1, 0) && suspects.mayBeTried(8, 0))
        suspects.wasSent(3, 0)
        #expect(suspects.mayBeTried(4, 0) && !suspects.mayBeTried(1, 0) && !suspects.mayBeTried(5, 0))
        suspects.wasSent(4, 0)
        suspects.hasEnded()
        #expect(!suspects.mayBeTried(5, 0))
        suspects.hasEnded()
        #expect(suspects.mayBeTried(5, 0))
    }
}
