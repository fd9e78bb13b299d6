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
        let more = h.deliveries()
        #expect(more.count == 4, "as many as were answered")
        for delivery in more + [again[4]] { h.acknowledge(delivery) }
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
            h.machine.setWritable(useless, false, &h.moment)
        }
        for seq in 9...10 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        let busy = h.deliveries().filter { $0.client == second }
        h.disconnect(first)
        let meanwhile = h.deliveries()
        for delivery in busy + meanwhile where delivery.client == second { h.acknowledge(delivery) }
        #expect(h.deliveries().contains { $0.client == second && $0.message.id != meanwhile.first?.message.id })
        #expect(h.machine.groups[.first].clientsOnTrial > 0, "they are tried")
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
        #expect(h.machine.groups[.first].unproven == 0)
    }

    @Test func suspectsAreForgottenSomeMinutesAfterTheLastLoss() {
        var suspects = Suspects()
        suspects.insert([(1, 0), (2, 0), (1, 1)], now: 0)
        #expect(suspects.company(of: 1, 0) == 1 && suspects.company(of: 1, 1) == 1 && suspects.company(of: 2, 1) == nil)
        suspects.forget(now: 599_000_000_000)
        #expect(!suspects.isEmpty)
        suspects.forget(now: 600_000_000_000)
        #expect(suspects.isEmpty)
    }

    @Test func theCompanyIsAQuarterAfterEachLoss() {
        var suspects = Suspects()
        suspects.insert((1...512).map { ($0, 0) }, now: 0)
        #expect(suspects.company(of: 1, 0) == 128 && suspects.company(of: 512, 0) == 128)
        suspects.insert((1...128).map { ($0, 0) }, now: 1)
        #expect(suspects.company(of: 1, 0) == 32)
        #expect(suspects.company(of: 129, 0) == 128, "a loss of others says nothing of it")
        suspects.insert([(5, 0), (6, 0)], now: 2)
        #expect(suspects.company(of: 5, 0) == 1)
        suspects.insert([(600, 0)], now: 3)
        #expect(suspects.company(of: 600, 0) == 1, "it was alone")
        suspects.clear(5, 0)
        #expect(suspects.company(of: 5, 0) == nil && suspects.company(of: 5, 1) == nil)
        suspects.insert([], now: 4)
        #expect(suspects.company(of: 6, 0) == 1)
    }

    /// With several clients half of them try suspects at the same time: a slow one holds up a connection, not the group.
    @Test func halfOfTheClientsTryThem() {
        var h = DeliveryHarness { $0.window = 8 }
        let first = h.liveClient("a")
        for seq in 1...4 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        _ = h.deliveries()
        let others = (0..<4).map { _ in h.liveClient("a") }
        h.disconnect(first)
        let tried = h.deliveries()
        #expect(tried.count == 2 && Set(tried.map(\.client)).count == 2)
        for seq in 10...17 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        let more = h.deliveries()
        #expect(more.count == 8 && Set(more.map(\.client)) == Set(others).subtracting(tried.map(\.client)))
        #expect(h.machine.groups[.first].clientsOnTrial == 2)
        for delivery in tried { h.acknowledge(delivery) }
        let last = h.deliveries()
        for delivery in last { h.acknowledge(delivery) }
        #expect(h.machine.groups[.first].clientsOnTrial == 0 && h.machine.groups[.first].suspects.isEmpty)
    }
}
