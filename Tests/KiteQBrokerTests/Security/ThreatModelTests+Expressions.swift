import KiteQCore
import KiteQWire
import NIOCore
import NIOSSL
import TestSupport
import Testing

@testable import KiteQBroker

/// Expressions of one group that are to stop the others.
extension ThreatModelTests {
    /// As many and as large as the bounds let through, and a client that sends new message types without end.
    @Test func expressionsHoldUpNobodyElse() async throws {
        let dear = (0..<700).map {
            Binding(group: "s-greedy", topic: "trade", messageType: "(.?){990}Z\($0)", kind: .regx)
        }
        let good = ["trade", "feed"].map { Binding(group: "s-member", topic: $0, messageType: "paid") }
        let log = CapturedLog()
        try await BrokerFixture.serving(
            dear + good, logger: log.logger, configure: { $0.topics = ["trade", "feed"] }
        ) { fixture in
            #expect(fixture.broker.rejectedBindings.reduce(0) { $0 + $1.count } == 695)
            #expect(fixture.broker.rejectedBindings.allSatisfy { $0.group == "s-greedy" && $0.topic == "trade" })
            #expect(log.lines.count { $0.contains("bindings match nothing") } == 2)
            let greedy = try await WireClient.greeted("p-greedy", at: fixture.address)
            var flood = ByteBuffer()
            for number in 0..<100 {
                let publish = WireClient.Publish(
                    type: String(repeating: "x", count: 250) + "\(number)", group: "p-greedy")
                try PacketWriter.writeDelivery(
                    into: &flood, framing: .plain, opaque: Int32(number), version: 0, extension: 0,
                    command: .stringMessage, header: publish.header(), body: ByteBuffer(string: "x"), extra: nil)
            }
            try await greedy.send(flood)
            _ = try await greedy.next(.messageStoreAck)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            for number in 0..<20 {
                // It comes and goes meanwhile.
                let member = try await WireClient.greeted("s-greedy", at: fixture.address)
                #expect(try await producer.publish(.init(topic: number % 2 == 0 ? "trade" : "feed")).status)
                try await member.close()
            }
            #expect(fixture.broker.status?.publishing.unrouted.count ?? 0 < 100, "they wait, and nobody with them")
            try await greedy.close()
        }
    }

    /// What is behind such a publish on its connection keeps its place.
    @Test func whatWaitsForExpressionsKeepsItsOrder() async throws {
        let dear = (0..<2).map {
            Binding(group: "s-greedy", topic: "trade", messageType: "(.?){990}Z\($0)", kind: .regx)
        }
        try await BrokerFixture.serving(dear) { fixture in
            let client = try await WireClient.greeted("p-pay", at: fixture.address)
            var buffer = ByteBuffer()
            for opaque in 0..<6 {
                let type = opaque % 2 == 0 ? String(repeating: "x", count: 250) + "\(opaque)" : "paid"
                try PacketWriter.writeDelivery(
                    into: &buffer, framing: .plain, opaque: Int32(opaque), version: 0, extension: 0,
                    command: .stringMessage, header: WireClient.Publish(type: type).header(),
                    body: ByteBuffer(string: "x"), extra: nil)
            }
            try await client.send(buffer)
            for opaque in 0..<6 {
                let ack = try await client.next(.messageStoreAck)
                let isTaken = try StoreAck(decoding: ack.body).status
                #expect(isTaken && ack.header.opaque == Int32(opaque))
            }
        }
    }

    /// Who sends such a publish, answers his deliveries and leaves has answered them.
    @Test func whatCameBeforeTheEndCountsThoughARouteIsSought() async throws {
        let dear = (0..<5).map {
            Binding(group: "s-greedy", topic: "trade", messageType: "(.?){990}Z\($0)", kind: .regx)
        }
        let member = Binding(group: "s-member", topic: "trade", messageType: "paid")
        try await BrokerFixture.serving(dear + [member]) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let client = try await WireClient.greeted("s-member", at: fixture.address)
            #expect(try await producer.publish(.init()).status)
            let delivered = try await client.delivery()
            var buffer = ByteBuffer()
            try PacketWriter.writeDelivery(
                into: &buffer, framing: .plain, opaque: 7, version: 0, extension: 0, command: .stringMessage,
                header: WireClient.Publish(type: String(repeating: "x", count: 255)).header(),
                body: ByteBuffer(string: "x"), extra: nil)
            try await client.send(buffer)
            try await client.acknowledge(delivered)
            try await client.close()
            try await fixture.until { $0.delivery.acknowledged == 1 && $0.connectionsByGroup["s-member"] == nil }
        }
    }
}
