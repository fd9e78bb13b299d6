import NIOCore
import Testing

@testable import KiteQCore

/// What a group that does not keep up may take of the memory that all share.
@Suite struct DeliveryMemoryTests {
    /// Two shards may hold the same seq: they are two messages.
    @Test func equalSeqsOfTwoShardsAreTwoMessages() {
        var h = DeliveryHarness(shards: 2)
        _ = h.liveClient("a")
        _ = h.liveClient("b")
        h.accept(7, DeliveryHarness.route("a"), shard: 0)
        h.accept(7, DeliveryHarness.route("b"), shard: 1)
        let sent = h.deliveries()
        #expect(sent.count == 2)
        h.acknowledge(sent[0], false)
        h.acknowledge(sent[1])
        #expect(h.actions.settlements.map(\.shard) == [1])
        _ = h.settlements()
        h.acknowledge(h.deliveries()[0])
        #expect(h.actions.settlements.map(\.shard) == [0])
        _ = h.settlements()
        #expect(h.machine.gauges.messages == 0 && h.machine.shards.allSatisfy { $0.unwritten.isEmpty })
    }

    /// One shard's message is still being written; the other shard's of the same seq is read from the store.
    @Test func whatIsWrittenOfOneShardSaysNothingOfTheOther() {
        var h = DeliveryHarness(shards: 2)
        let client = h.liveClient("a")
        h.accept(7, DeliveryHarness.route("a"), shard: 0)
        h.acknowledge(h.deliveries()[0])
        #expect(h.unwritten().count == 1)
        h.survey(ShardSurvey(abandoned: ["a": 7]), shard: 1)
        let scan = h.nextScan(1)!
        h.finish(
            scan, .init(rows: [.init(seq: 7, kind: .fresh(DeliveryHarness.route("a")))], isEnd: true),
            loaded: [h.fresh(7, DeliveryHarness.route("a"))])
        #expect(h.deliveries().map(\.client) == [client])
    }

    /// A predecessor's clock was ahead, and so are the seqs that the group has read up to: all that is new lies before them.
    @Test func newMessagesBehindTheFrontierAreBoundedToo() {
        var h = DeliveryHarness {
            $0.queueLength = 100
            $0.window = 1
            $0.pageRows = 5
        }
        _ = h.connect("a")
        let route = DeliveryHarness.route("a")
        while let scan = h.nextScan() {
            guard case .backlog(let after) = scan.kind, after < 1_000_000 else {
                h.finish(scan, .init(rows: [], frontier: 1_000_004, isEnd: false))
                if case .backlog = scan.kind { break }
                continue
            }
            let seqs = (1_000_000..<1_000_005 as Range<Int64>)
            h.finish(
                scan, .init(rows: seqs.map { .init(seq: $0, kind: .fresh(route)) }, frontier: 1_000_004, isEnd: false),
                loaded: seqs.map { h.fresh($0, route) })
        }
        for seq in 1...5_000 as ClosedRange<Int64> { h.accept(seq, route) }
        #expect(h.machine.gauges.queued <= 100)
        #expect(h.machine.gauges.messages <= 110)
        guard case .paging(let frontier, _) = h.machine.groups[.first].shards[0].backlog else {
            Issue.record("it does not page")
            return
        }
        #expect(frontier < 5_000, "and reads on from the first that found no room")
    }

    /// A group that is at other brokers: what is given away is written, and there is a bound to what is not yet.
    @Test func givingAwayStopsWhereTooMuchIsNotWritten() {
        var h = DeliveryHarness { $0.unflushed = 50 }
        h.survey(ShardSurvey(elsewhere: ["a"]))
        h.scanAll()
        for seq in 1...500 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        #expect(h.machine.gauges.unflushed == 50)
        let given = h.settlements().map(\.seq)
        #expect(given == Array(1...50))
        // The rest is fresh in the store, and found there.
        let scan = h.nextScan()
        #expect(scan?.kind == .handOver(after: 50))
    }

    /// What connections have not written yet is bounded for all together, whatever each of them may have in flight.
    @Test func nothingIsSentWhereTheConnectionsAreFull() {
        var h = DeliveryHarness()
        _ = h.liveClient("a")
        let footprint = DeliveryHarness.message().footprint
        h.moment.outboundRoom = footprint * 2
        for seq in 1...5 as ClosedRange<Int64> { h.accept(seq, DeliveryHarness.route("a")) }
        #expect(h.deliveries().count == 2)
        h.moment.outboundRoom = 1
        h.pass(100_000_000)
        #expect(h.deliveries().count == 1, "one may be larger than what is left")
        h.moment.outboundRoom = .max
        h.pass(100_000_000)
        #expect(h.deliveries().count == 2)
    }

    private static func large() -> Message {
        DeliveryHarness.message(body: ByteBuffer(repeating: 1, count: 10_000 - 257))
    }

    @Test func aGroupThatDoesNotAnswerLeavesHalfToTheOthers() {
        var h = DeliveryHarness { $0.memoryBytes = 1_000_000 }
        _ = h.liveClient("slow")
        let quick = h.liveClient("quick")
        for seq: Int64 in 1...200 { h.accept(seq, DeliveryHarness.route("slow"), Self.large()) }
        #expect(h.machine.gauges.messages == 50)
        h.accept(300, DeliveryHarness.route("quick"), Self.large())
        #expect(h.deliveries().last?.client == quick)
        #expect(h.nextScan() == nil, "no page for a group that has all it may have")
        h.machine.reread(shard: 0, from: 300, &h.moment)
        let scan = h.nextScan()
        #expect(scan?.group == "quick" && scan?.maxBytes == 480_000)
    }

    @Test func severalThatDoNotAnswerLeaveSomething() {
        var h = DeliveryHarness { $0.memoryBytes = 1_000_000 }
        let names = ["a", "b", "c", "d"]
        for name in names { _ = h.liveClient(name) }
        for seq: Int64 in 1...800 { h.accept(seq, DeliveryHarness.route(names[Int(seq) % 4]), Self.large()) }
        #expect(h.machine.gauges.messages == 80, "a fifth each")
        _ = h.deliveries()
        _ = h.liveClient("e")
        h.accept(1_000, DeliveryHarness.route("e"), Self.large())
        #expect(h.deliveries().count == 1)
    }

    @Test func whatIsDoneMakesRoomAgain() {
        var h = DeliveryHarness { $0.memoryBytes = 1_000_000 }
        _ = h.liveClient("a")
        for seq: Int64 in 1...100 { h.accept(seq, DeliveryHarness.route("a"), Self.large()) }
        for (index, sent) in h.deliveries().enumerated() { h.acknowledge(sent, index % 2 == 0) }
        while case let more = h.deliveries(), !more.isEmpty { for sent in more { h.acknowledge(sent) } }
        _ = h.settlements()
        #expect(h.machine.gauges.bytes == 0 && h.machine.slots.account(of: .first).bytes == 0)
        #expect(h.nextScan()?.kind == .backlog(after: 50))
    }

    @Test func aConnectionsWindowIsBoundedInBytes() {
        var h = DeliveryHarness { $0.windowBytes = 25_000 }
        _ = h.liveClient("a")
        for seq: Int64 in 1...5 { h.accept(seq, DeliveryHarness.route("a"), Self.large()) }
        let sent = h.deliveries()
        #expect(sent.count == 3, "the last one goes beyond it")
        h.acknowledge(sent[1])
        #expect(h.deliveries().count == 1)
        h.pass(5_100_000_000)
        #expect(h.deliveries().count == 3, "what timed out is not in flight any more")
    }

    @Test func aMessageLargerThanTheWindowGoesAlone() {
        var h = DeliveryHarness { $0.windowBytes = 1_000 }
        _ = h.liveClient("a")
        for seq: Int64 in 1...2 { h.accept(seq, DeliveryHarness.route("a"), Self.large()) }
        let sent = h.deliveries()
        #expect(sent.count == 1)
        h.acknowledge(sent[0])
        #expect(h.deliveries().count == 1)
    }
}
