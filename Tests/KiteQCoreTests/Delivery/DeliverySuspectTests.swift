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
        for delivery in again { h.acknowledge(delivery) }
        #expect(h.deliveries().count == 6, "and one more for as many answers")
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

    /// The consumer is alone: while it is away its messages are in the store.
    @Test(arguments: [(21, 0), (21, 20), (500, 250)]) func onlyThePoisonDies(messages: Int, poisonAt: Int) {
        let limit = 5
        var h = DeliveryHarness()
        let all = (0..<messages).map { _ in DeliveryHarness.message(deliverLimit: limit) }
        var store: [Int64: (message: Message, attempts: Int?)] = [:]
        var consumer = h.liveClient("a")
        let route = DeliveryHarness.route("a")
        for (index, message) in all.enumerated() {
            store[Int64(index + 1)] = (message, nil)
            h.accept(Int64(index + 1), route, message)
        }
        var handled: [MessageID: Int] = [:]
        var dead: [Settlement.Dead] = []
        var deaths = 0
        func settle() {
            for settlement in h.settlements() {
                dead += settlement.dead
                if let pending = settlement.pending.first {
                    store[settlement.seq]?.attempts = pending.attempts
                } else {
                    store[settlement.seq] = nil
                }
            }
        }
        func scan() {
            while let scan = h.nextScan() {
                guard case .backlog(let after) = scan.kind else {
                    let due = store.filter { $0.value.attempts != nil && h.machine.slotBySeq[0][$0.key] == nil }.keys
                        .sorted()
                    let rows = due.map { DeliveryScanResult.Row(seq: $0, kind: .tracked) }
                    h.finish(
                        scan, .init(rows: rows, isEnd: true),
                        loaded: due.map {
                            StoredMessage(
                                seq: $0, message: store[$0]!.message, state: .tracked, route: Route([]),
                                deliveries: [.init(group: "a", attempts: store[$0]!.attempts!, dueAt: 0)])
                        })
                    continue
                }
                let fresh = store.filter { $0.key > after && $0.value.attempts == nil }.keys.sorted()
                h.finish(
                    scan, .init(rows: fresh.map { .init(seq: $0, kind: .fresh(route)) }, isEnd: true),
                    loaded: fresh.map {
                        StoredMessage(seq: $0, message: store[$0]!.message, state: .fresh, route: route)
                    })
            }
        }
        for _ in 0..<10_000 where !store.isEmpty {
            let sent = h.deliveries()
            if sent.contains(where: { $0.message.id == all[poisonAt].id }) {
                deaths += 1
                h.disconnect(consumer)
                settle()
                h.pass(1_000_000_000)
                consumer = h.connect("a")
                scan()
            } else if sent.isEmpty {
                h.pass(1_000_000_000)
                h.survey(ShardSurvey(due: ["a"]))
                scan()
            } else {
                for delivery in sent {
                    handled[delivery.message.id, default: 0] += 1
                    h.acknowledge(delivery)
                }
            }
            settle()
        }
        #expect(dead.count == 1)
        #expect(handled.count == messages - 1 && handled.values.allSatisfy { $0 == 1 })
        #expect(deaths <= limit + 5, "a quarter of the suspects at a time, then one by one")
        #expect(h.machine.groups[0].suspects.isEmpty && h.machine.groups[0].inFlight == 0)
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
        #expect(suspects.limit == 1)
        suspects.forget(now: 599_000_000_000)
        #expect(!suspects.isEmpty)
        suspects.forget(now: 600_000_000_000)
        #expect(suspects.isEmpty && suspects.limit == .max)
    }

    @Test func theLimitIsAQuarterAfterEachLossAndGrowsByOneForAsManyAnswers() {
        var suspects = Suspects()
        suspects.insert((0..<512).map { (Int64($0 + 1), 0) }, now: 0)
        #expect(suspects.limit == 128)
        suspects.insert((0..<128).map { (Int64($0 + 1), 0) }, now: 1)
        #expect(suspects.limit == 32)
        for seq in 100..<131 as Range<Int64> { suspects.clear(seq, 0) }
        suspects.clear(100, 0)
        #expect(suspects.limit == 32, "that was cleared already")
        suspects.clear(131, 0)
        #expect(suspects.limit == 33)
        suspects.insert([(5, 0), (6, 0)], now: 2)
        #expect(suspects.areAlone)
    }

    @Test func aLossOfOthersSaysNothingOfThose() {
        var suspects = Suspects()
        suspects.insert((0..<40).map { (Int64($0 + 1), 0) }, now: 0)
        #expect(suspects.limit == 10)
        suspects.insert([], now: 1)
        #expect(suspects.limit == 10)
        suspects.insert([(100, 0)], now: 2)
        #expect(suspects.limit == 10 && suspects.contains(100, 0))
        var none = Suspects()
        none.insert([], now: 0)
        #expect(none.isEmpty && none.limit == .max)
    }
}
