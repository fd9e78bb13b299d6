import Testing

@testable import KiteQCore

/// Consumers that say how many deliveries they want, and that they are at work on some.
@Suite struct DeliveryExtendTests {
    private let route = DeliveryHarness.route("g")

    @Test func whatIsWorkedOnIsNoFailedAttempt() {
        var h = DeliveryHarness()
        _ = h.liveClient("g")
        for seq in 1...2 as ClosedRange<Int64> { h.accept(seq, route) }
        let sent = h.deliveries()
        for _ in 0..<4 {
            h.pass(2_000_000_000)
            h.machine.extend([sent[0].opaque, 999], client: sent[0].client, now: h.now)
        }
        #expect(h.machine.counters.timedOut == 1, "the other one, of which nothing was said")
        #expect(h.machine.counters.extended == 4)
        h.acknowledge(sent[0])
        #expect(h.settlements().map(\.seq) == [1])
        #expect(h.machine.counters.lateAcknowledgements == 0)
    }

    @Test func aDeliveryIsGivenUpAfterTheLongestHandling() {
        var h = DeliveryHarness { $0.longestHandling = 20_000_000_000 }
        _ = h.liveClient("g")
        h.accept(1, route)
        let sent = h.deliveries()
        for _ in 0..<13 {
            h.pass(2_000_000_000)
            h.machine.extend([sent[0].opaque], client: sent[0].client, now: h.now)
        }
        #expect(h.machine.counters.timedOut == 1)
        #expect(h.deliveries().map(\.message.id) == [sent[0].message.id])
    }

    @Test func anotherConnectionsDeliveriesAreNotExtended() {
        var h = DeliveryHarness()
        _ = h.liveClient("g")
        h.accept(1, route)
        let sent = h.deliveries()
        let other = h.liveClient("g")
        h.pass(3_000_000_000)
        h.machine.extend([sent[0].opaque], client: other, now: h.now)
        h.pass(3_000_000_000)
        #expect(h.machine.counters.timedOut == 1 && h.machine.counters.extended == 0)
        h.disconnect(other)
        h.machine.extend([sent[0].opaque], client: other, now: h.now)
        #expect(h.machine.counters.extended == 0)
    }

    @Test(arguments: [(1, 1), (3, 3), (0, 1), (-5, 1), (8, 8), (1_000, 8), (nil, 8)] as [(Int?, Int)])
    func aClientGetsNoMoreThanItsWindow(_ window: Int?, _ expected: Int) {
        var h = DeliveryHarness { $0.window = 8 }
        _ = h.machine.connect(
            group: "g", warmUpSeconds: 0, window: window, &h.moment)
        h.scanAll()
        for seq in 1...20 as ClosedRange<Int64> { h.accept(seq, route) }
        let sent = h.deliveries()
        #expect(sent.count == expected)
        h.acknowledge(sent[0])
        #expect(h.deliveries().count == 1)
    }
}
