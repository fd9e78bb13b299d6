import Testing

@testable import KiteQCore

/// Several brokers: what this one gives away, takes, and holds back.
@Suite struct DeliveryOwnershipTests {
    private let route = DeliveryHarness.route("here", "there")

    // MARK: Lease

    @Test func withoutALeaseNothingStoredIsSent() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.machine.setLease(shard: 0, until: 0, &h.moment)
        for seq in 1...3 { h.accept(Int64(seq), DeliveryHarness.route("a")) }
        h.machine.acceptFly(
            [(DeliveryHarness.message(), DeliveryHarness.route("a"))], &h.moment)
        #expect(h.deliveries().count == 1, "the fly message is in no store")
        #expect(h.nextScan() == nil)
        h.machine.setLease(shard: 0, until: .max, &h.moment)
        #expect(h.deliveries().count == 3)
    }

    @Test func aLeaseThatEndsWhileNobodyLooksIsOver() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.machine.setLease(shard: 0, until: h.now + 10, &h.moment)
        h.stand(11)
        h.accept(1, DeliveryHarness.route("a"))
        #expect(h.deliveries().isEmpty)
    }

    @Test func theOthersShardsGoOn() {
        var h = DeliveryHarness(shards: 2)
        _ = h.liveClient("a")
        h.machine.setLease(shard: 0, until: 0, &h.moment)
        h.accept(1, DeliveryHarness.route("a"), shard: 0)
        h.accept(2, DeliveryHarness.route("a"), shard: 1)
        #expect(h.deliveries().count == 1)
    }

    @Test func whatIsHeldBackIsLeftWhenTheGroupGoes() {
        var h = DeliveryHarness()
        let client = h.liveClient("a")
        h.machine.setLease(shard: 0, until: 0, &h.moment)
        h.accept(1, DeliveryHarness.route("a"))
        h.disconnect(client)
        #expect(h.machine.gauges.messages == 0)
    }

    @Test func aProcessThatStoodStillFailsNoAttempt() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.pass(100_000_000)
        h.accept(1, DeliveryHarness.route("a"))
        let sent = h.deliveries()[0]
        h.stand(60_000_000_000)
        h.pass(0)
        #expect(h.machine.counters.timedOut == 0)
        h.pass(4_000_000_000)
        #expect(h.machine.counters.timedOut == 0)
        h.acknowledge(sent)
        #expect(h.settlements().map(\.isRemoval) == [true])
    }

    // MARK: Giving away

    @Test func aGroupElsewhereGetsARowAtOnce() {
        var h = DeliveryHarness()
        _ = h.liveClient("here")
        h.survey(ShardSurvey(elsewhere: ["there"]))
        h.scanAll()
        h.accept(1, route)
        #expect(h.deliveries().count == 1)
        let settled = h.settlements()
        #expect(
            settled.first?.pending == [
                .init(held: "here", attempts: 0), .init(group: "there", attempts: 0, dueAt: h.wall),
            ])
        h.accept(2, DeliveryHarness.route("there"))
        #expect(h.settlements().map(\.pending) == [[.init(group: "there", attempts: 0, dueAt: h.wall)]])
    }

    /// Rows that were committed are reported later than a scan may meet them: a batch has several transactions.
    @Test func whatAScanHasGivenAwayIsNotDeliveredOnceMoreByALateReport() {
        var h = DeliveryHarness()
        _ = h.liveClient("here")
        h.survey(ShardSurvey(elsewhere: ["there"]))
        let scan = h.nextScan()!
        #expect(scan.kind == .handOver(after: 0))
        h.finish(scan, .init(rows: [.init(seq: 1, kind: .fresh(route))], isEnd: true))
        #expect(h.settlements().count == 1)
        // This broker takes the row of its own group, and is done with it.
        h.survey(ShardSurvey(elsewhere: ["there"], due: ["here"]))
        let due = h.nextScan()!
        let message = DeliveryHarness.message()
        h.finish(
            due, .init(rows: [.init(seq: 1, kind: .tracked)], isEnd: true),
            loaded: [
                StoredMessage(
                    seq: 1, message: message, state: .tracked, route: Route([]),
                    deliveries: [.init(group: "here", attempts: 0, dueAt: 0)])
            ])
        let delivery = h.deliveries()
        #expect(delivery.count == 1)
        h.acknowledge(delivery[0])
        #expect(h.settlements().map(\.done) == [["here"]])
        h.accept(1, route, message)
        #expect(h.deliveries().isEmpty && h.settlements().isEmpty)
        // Whether it is there still, only the store knows: it is asked.
        #expect(h.nextScan() != nil)
    }

    @Test func norWhatHasExpiredBeforeTheReport() {
        var h = DeliveryHarness()
        _ = h.liveClient("here")
        h.scanAll()
        let message = DeliveryHarness.message()
        _ = h.machine.expire(
            [ExpiredMessage(seq: 1, route: DeliveryHarness.route("here"), id: message.id, topic: message.topic)],
            shard: 0, &h.moment)
        #expect(h.settlements().flatMap(\.dead).count == 1)
        h.accept(1, DeliveryHarness.route("here"), message)
        #expect(h.deliveries().isEmpty && h.settlements().isEmpty)
    }

    @Test func theBacklogOfAGroupElsewhereIsGivenAwayByPages() {
        var h = DeliveryHarness()
        for seq in 1...3 { h.accept(Int64(seq), route) }
        #expect(h.settlements().isEmpty)
        h.survey(ShardSurvey(elsewhere: ["there"]))
        let scan = h.nextScan()!
        #expect(scan.kind == .handOver(after: 0) && scan.group == "there")
        h.finish(scan, .init(rows: [.init(seq: 1, kind: .fresh(route))], frontier: 1, isEnd: false))
        #expect(
            h.settlements().map(\.pending) == [
                [.init(group: "here", attempts: 0, dueAt: 0), .init(group: "there", attempts: 0, dueAt: h.wall)]
            ])
        #expect(h.nextScan()?.kind == .handOver(after: 1))
    }

    @Test func whatIsInFlightHereStaysHere() {
        var h = DeliveryHarness()
        _ = h.liveClient("here")
        h.accept(1, route)
        let sent = h.deliveries()[0]
        h.survey(ShardSurvey(elsewhere: ["there"]))
        h.finish(h.nextScan()!, .init(rows: [.init(seq: 1, kind: .fresh(route))], isEnd: true))
        #expect(
            h.settlements().map(\.pending) == [
                [.init(held: "here", attempts: 0), .init(group: "there", attempts: 0, dueAt: h.wall)]
            ])
        h.acknowledge(sent)
        #expect(h.settlements().map(\.done) == [["here"]])
    }

    @Test func aGroupThatComesBackIsGivenNothingAwayOf() {
        var h = DeliveryHarness()
        h.survey(ShardSurvey(elsewhere: ["there"]))
        _ = h.liveClient("there")
        h.accept(1, DeliveryHarness.route("there"))
        #expect(h.deliveries().count == 1)
        #expect(h.settlements().isEmpty)
    }

    @Test func aVolatileGroupElsewhereIsServedThere() {
        var h = DeliveryHarness()
        h.survey(ShardSurvey(elsewhere: ["v"]))
        h.scanAll()
        h.accept(1, DeliveryHarness.route(volatile: ["v"]))
        #expect(h.settlements().map { $0.pending.map(\.group) } == [["v"]])
        h.survey(ShardSurvey())
        h.accept(2, DeliveryHarness.route(volatile: ["v"]))
        #expect(h.settlements().map(\.isRemoval) == [true], "it is nowhere any more")
    }

    // MARK: Taking

    @Test func whatDeadBrokersLeftIsReadByALiveGroup() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        #expect(h.nextScan() == nil)
        h.survey(ShardSurvey(abandoned: ["a": 40, "b": 7]))
        #expect(h.nextScan()?.kind == .backlog(after: 39))
    }

    @Test func rowsThatWaitForALiveGroupAreRead() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.survey(ShardSurvey(waiting: ["a": 7, "b": 7]))
        #expect(h.nextScan()?.kind == .due(waitingUpTo: .max))
    }

    /// One that came free behind the place where the group reads its backlog.
    @Test func rowsThatWaitBehindTheFrontierAreRead() {
        var h = DeliveryHarness { $0.pageRows = 1 }
        _ = h.connect("a")
        let route = DeliveryHarness.route("a")
        while let scan = h.nextScan() {
            guard case .backlog(let after) = scan.kind else {
                h.finish(scan, .init(rows: [], isEnd: true))
                continue
            }
            guard after < 100 else {
                h.finish(scan, .init(rows: [], frontier: after, isEnd: false))
                break
            }
            h.finish(
                scan, .init(rows: [.init(seq: 100, kind: .fresh(route))], frontier: 100, isEnd: false),
                loaded: [h.fresh(100, route)])
        }
        h.survey(ShardSurvey(waiting: ["a": 101]))
        #expect(h.nextScan()?.kind == .backlog(after: 100), "it will come to that one")
        h.machine.scanFailed(
            .init(
                group: "a", shard: 0, kind: .backlog(after: 100), limit: 1, maxBytes: 1, groupIndex: .first,
                epoch: h.machine.groups[.first].shards[0].epoch), &h.moment)
        h.survey(ShardSurvey(waiting: ["a": 50]))
        #expect(h.nextScan()?.kind == .due(waitingUpTo: 100))
    }

    /// New messages keep the queue nearly full: what is due takes the places that are left.
    @Test func whatIsDueIsReadThoughTheQueueStaysNearlyFull() {
        var h = DeliveryHarness {
            $0.queueLength = 10
            $0.window = 1
        }
        _ = h.liveClient("a")
        for seq in 1...9 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        h.survey(ShardSurvey(due: ["a"]))
        #expect(h.nextScan() == nil, "for a while")
        h.pass(1_100_000_000)
        let scan = h.nextScan()
        #expect(scan?.kind == .due(waitingUpTo: .max) && scan?.limit == 2)
    }

    @Test func aRowThatWasTakenForAGroupThatWentIsLetGo() {
        var h = DeliveryHarness()
        let client = h.liveClient("a")
        h.survey(ShardSurvey(due: ["a"]))
        let scan = h.nextScan()!
        h.disconnect(client)
        h.finish(
            scan, .init(rows: [.init(seq: 5, kind: .tracked)], isEnd: true),
            loaded: [h.tracked(5, "a", attempts: 2, dueAt: 0)])
        #expect(h.settlements().map(\.pending) == [[.init(group: "a", attempts: 2, dueAt: 0)]])
        #expect(h.machine.gauges.messages == 0)
    }

    @Test func twoGroupsOfOneMessageAreTakenOneByOne() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        _ = h.liveClient("b")
        for group in ["a", "b"] {
            h.survey(ShardSurvey(due: [group]))
            h.finish(
                h.nextScan()!, .init(rows: [.init(seq: 5, kind: .tracked)], isEnd: true),
                loaded: [h.tracked(5, group, attempts: 1, dueAt: 0)])
        }
        let sent = h.deliveries()
        #expect(sent.count == 2 && h.machine.gauges.messages == 1)
        for delivery in sent { h.acknowledge(delivery) }
        #expect(h.settlements().flatMap(\.done).sorted() == ["a", "b"])
        #expect(h.machine.gauges.messages == 0)
    }

    /// The store may have written it, and the reply was lost: it is written once more, and must not meet the row taken again.
    @Test func aRowThatIsBeingLetGoIsNotTakenAgainBeforeThatIsSure() {
        var h = DeliveryHarness()
        let client = h.liveClient("a")
        h.survey(ShardSurvey(due: ["a"]))
        let row = DeliveryScanResult.Row(seq: 5, kind: .tracked)
        h.finish(h.nextScan()!, .init(rows: [row], isEnd: true), loaded: [h.tracked(5, "a", attempts: 1, dueAt: 0)])
        #expect(h.deliveries().count == 1)
        h.disconnect(client)
        #expect(h.unwritten().map(\.pending.count) == [1])
        _ = h.connect("a")
        while let scan = h.nextScan() {
            #expect(h.machine.missing(scan, .init(rows: [row], isEnd: true)).isEmpty)
            h.finish(scan, .init(rows: [row], isEnd: true))
        }
        #expect(h.deliveries().isEmpty)
        h.machine.settled([5], shard: 0, &h.moment)
        h.pass(300_000_000)
        let again = h.nextScan()!
        #expect(again.kind == .backlog(after: 4))
        h.finish(again, .init(rows: [row], isEnd: true), loaded: [h.tracked(5, "a", attempts: 2, dueAt: 0)])
        #expect(h.deliveries().count == 1)
    }

    @Test func aRowThatOnlyTheStoreTakesForOursIsLetGo() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        h.survey(ShardSurvey(due: ["a"]))
        h.finish(
            h.nextScan()!, .init(rows: [.init(seq: 5, kind: .tracked)], isEnd: true),
            loaded: [h.tracked(5, "a", attempts: 1, dueAt: 0)])
        h.machine.shards[0].orphans = OrphanWatch(nextPassAt: h.now)
        let scan = h.nextScan()!
        #expect(scan.kind == .orphans(after: 0))
        h.finish(
            scan,
            .init(
                rows: [
                    .init(seq: 5, kind: .held(group: "a", attempts: 1)),
                    .init(seq: 6, kind: .held(group: "a", attempts: 4)),
                ], isEnd: true))
        #expect(h.settlements().map(\.pending) == [[.init(group: "a", attempts: 4, dueAt: h.wall)]])
        #expect(h.machine.counters.orphans == 1)
    }

    /// All that is behind the place up to which it has read it will meet.
    @Test func whatAGroupHasYetToReadIsNoStray() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        let rows = [FreshMessage(seq: 5, route: DeliveryHarness.route("a"))]
        h.machine.shards[0].strays = StrayWatch()
        h.finish(h.nextScan()!, .strays(rows, next: nil))
        h.machine.reread(shard: 0, from: 3, &h.moment)
        h.pass(h.machine.limits.scanRetry * 5)
        let second = h.nextScan()!
        #expect(second.kind == .strays(of: [], after: nil), "nobody has all of theirs in memory")
        h.finish(second, .strays(rows, next: nil))
        #expect(h.machine.counters.strays == 0)
        #expect(h.nextScan()?.kind == .backlog(after: 2))
    }

    @Test func aPageOfOrphansThatEndsWithinAMessageGoesOnWithIt() {
        let rows = [(4, "a"), (6, "a"), (6, "b"), (6, "c")].map {
            HeldDelivery(seq: Int64($0.0), group: $0.1, attempts: 0)
        }
        func page(_ range: Range<Int>, after: Int64 = 0, limit: Int = 3) -> DeliveryScanResult {
            .orphans(held: Array(rows[range]), after: after, limit: limit)
        }
        #expect(page(0..<3).frontier == 5 && !page(0..<3).isEnd, "c's row was not seen")
        #expect(page(1..<4, after: 5).frontier == 6, "on, where a page holds nothing else")
        #expect(page(0..<4, limit: 5).isEnd)
        #expect(page(0..<0, after: 7).frontier == 7)
    }

    @Test func expiredMessagesOfAbsentGroupsDie() {
        var h = DeliveryHarness()
        _ = h.liveClient("here")
        h.accept(7, route)
        let persistentOnly = Route([
            .init(group: "a", persistent: true), .init(group: "b", persistent: true),
            .init(group: "v", persistent: false),
        ])
        h.machine.count(topics: ["trade"])
        let letters = h.machine.expire(
            [
                ExpiredMessage(seq: 7, route: route, id: MessageID.random(), topic: "trade"),
                ExpiredMessage(seq: 8, route: persistentOnly, id: MessageID.random(), topic: "trade"),
            ], shard: 0, &h.moment)
        #expect(letters.map(\.group) == ["a", "b"] && letters.allSatisfy { $0.topic == "trade" })
        #expect(h.machine.topicTraffic["trade"]?.deadLettered == 2)
        // What the store buries by itself is of the topic, too.
        h.machine.count(expired: [ExpiredDelivery(id: MessageID.random(), topic: "trade", group: "a")])
        #expect(h.machine.topicTraffic["trade"]?.deadLettered == 3)
        let settled = h.settlements()
        #expect(settled.map(\.seq) == [8], "what is in memory expires there")
        #expect(settled[0].dead.map(\.group) == ["a", "b"] && settled[0].dead.allSatisfy { $0.reason == .expired })
    }
}
