import NIOCore
import Testing

@testable import KiteQCore

/// What a group that does not keep up may take of the memory that all share.
@Suite struct DeliveryMemoryTests {
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
        h.machine.reread(shard: 0, from: 300, &h.actions)
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
        for sent in h.deliveries() { h.acknowledge(sent) }
        _ = h.settlements()
        #expect(h.machine.gauges.bytes == 0 && h.machine.groups[0].bytes == 0)
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
