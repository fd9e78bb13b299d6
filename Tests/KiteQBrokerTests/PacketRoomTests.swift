import KiteQWire
import NIOCore
import Testing

@testable import KiteQBroker

/// Large packets that are on their way in.
@Suite(.timeLimit(.minutes(2))) struct PacketRoomTests {
    private static let mega = 1 << 20

    @Test func aGroupHasHalfAndHoldsUpNoOther() {
        var rule = PacketRoomRule(bytes: 8 * Self.mega)
        let first = (0..<5).map { rule.enter($0, bytes: Self.mega, group: "a") }
        #expect(first == [true, true, true, true, false])
        let others = (10..<14).map { rule.enter($0, bytes: Self.mega, group: "b") }
        #expect(others == [true, true, true, true])
        let third = rule.enter(20, bytes: Self.mega, group: "c")
        #expect(!third)
        // Each in turn, but for those of a group that has its half.
        let afterB = rule.leave(10)
        let afterA = rule.leave(0)
        #expect(afterB == [20] && afterA == [4])
        #expect(rule.hasRoom(4) && rule.hasRoom(20) && !rule.hasRoom(0))
    }

    @Test func whoWaitsLeavesNoTrace() {
        var rule = PacketRoomRule(bytes: 4 * Self.mega)
        _ = rule.enter(1, bytes: 2 * Self.mega, group: "a")
        let waits = [2, 3, 4].map { rule.enter($0, bytes: Self.mega / 2, group: "a") }
        #expect(waits == [false, false, false])
        let left = rule.leave(3)
        let granted = rule.leave(1)
        #expect(left.isEmpty && granted == [2, 4])
        for id: UInt64 in [2, 4] { _ = rule.leave(id) }
        let again = rule.enter(5, bytes: 2 * Self.mega, group: "a")
        #expect(again)
    }

    /// However little there is: the largest packet comes through.
    @Test func theLargestPacketFits() {
        var rule = PacketRoomRule(bytes: 4 * Self.mega)
        let isTaken = rule.enter(1, bytes: PacketDecoder.maximumBufferedBytes, group: "a")
        #expect(isTaken)
    }

    /// Packets that do not end: those behind them of their group are not read further, others are, and all come through at the end.
    @Test func packetsThatDoNotEndTakeAShareOfMemory() async throws {
        try await BrokerFixture.serving(configure: { $0.shardQueueBytes = 4 << 20 }) { fixture in
            let body = String(repeating: "x", count: 1_500_000)
            var held: [(client: WireClient, end: ByteBuffer)] = []
            for _ in 0..<6 {
                let client = try await WireClient.greeted("p-pay", at: fixture.address)
                var packet = ByteBuffer()
                try PacketWriter.writeDelivery(
                    into: &packet, framing: .plain, opaque: 1, version: 0, extension: 0, command: .stringMessage,
                    header: WireClient.Publish().header(), body: ByteBuffer(string: body), extra: nil)
                let begin = packet.readSlice(length: packet.readableBytes - 1)
                try await client.send(try #require(begin))
                held.append((client, packet))
            }
            try await fixture.until { _ in
                fixture.broker.connections(limit: 100)?.connections.filter(\.isReadingPaused).count == 5
            }
            // Another group is not held up.
            let other = try await WireClient.greeted("p-other", at: fixture.address)
            #expect(try await other.publish(.init(group: "p-other", body: body)).status)
            for (client, end) in held { try await client.send(end) }
            for (client, _) in held { _ = try await client.next(.messageStoreAck) }
        }
    }
}
