import KiteQCore
import KiteQStore
import KiteQWire
import NIOCore
import Testing

@testable import KiteQBroker

/// The additions to the protocol (docs/protocol-extensions.md), as a client sees them.
@Suite(.timeLimit(.minutes(2))) struct ExtensionTests {
    private typealias Publish = WireClient.Publish

    private func meta(
        _ group: String, _ capabilities: ClientCapabilities?, window: UInt32 = 0
    ) -> ConnMeta {
        ConnMeta(groupID: group, secretKey: "", capabilities: capabilities, window: window)
    }

    @Test func aClientThatSaysNothingGetsWhatItAlwaysGot() async throws {
        try await BrokerFixture.serving { broker in
            let client = try await WireClient.connect(to: broker.address)
            for _ in 0..<2 {
                let packet = try await client.greetRaw(meta("s-member", nil))
                var expected = ByteBuffer()
                PacketWriter.writeConnAuthAck(
                    into: &expected, framing: .plain, opaque: 7, version: 0, extension: 0, status: true,
                    feedback: "welcome")
                expected.moveReaderIndex(forwardBy: PacketHeader.length)
                #expect(packet.body == expected)
                #expect(try ConnAuthAck(decoding: packet.body).extensions == nil)
            }
        }
    }

    @Test func aClientThatSaysWhatItCanIsToldWhatTheBrokerCan() async throws {
        try await BrokerFixture.serving(configure: { $0.topicDefaults.answerTime = 7_000_000_000 }) { broker in
            let client = try await WireClient.connect(to: broker.address)
            // The second one repeats it, as a client whose answer is late does.
            for capabilities in [[], [.extend]] as [ClientCapabilities] {
                let ack = try ConnAuthAck(decoding: try await client.greetRaw(meta("s-member", capabilities)).body)
                #expect(ack.status)
                #expect(
                    ack.extensions
                        == .init(
                            capabilities: [.extend, .respectsDoesNotConsume, .respectsWindow],
                            deliveryTimeoutMilliseconds: 7_000))
            }
        }
    }

    @Test func aClientThatDoesNotConsumeIsNoConsumer() async throws {
        try await BrokerFixture.serving { broker in
            let publisher = try await WireClient.connect(to: broker.address)
            _ = try await publisher.greetRaw(meta("s-member", [.doesNotConsume]))
            var sent: [String] = []
            for _ in 0..<5 {
                let publish = Publish(group: "s-member", deliverLimit: 1)
                #expect(try await publisher.publish(publish).status)
                sent.append(publish.id)
            }
            #expect(broker.broker.status?.groups.contains { $0.name == "s-member" && $0.clients > 0 } != true)
            #expect(broker.broker.connections(limit: 10)?.connections.map(\.inFlight) == [0])

            let consumer = try await WireClient.greeted("s-member", at: broker.address)
            for _ in 0..<5 {
                let publish = Publish(group: "s-member", deliverLimit: 1)
                #expect(try await publisher.publish(publish).status)
                sent.append(publish.id)
            }
            var got: Set<String> = []
            while got.count < sent.count {
                let delivery = try await consumer.delivery()
                got.insert(delivery.header.messageID)
                try await consumer.acknowledge(delivery)
            }
            #expect(got == Set(sent))
            try await broker.until { $0.delivery.acknowledged == 10 }
            #expect(broker.broker.status?.delivery.delivered == 10)
            #expect(broker.broker.status?.delivery.deadLettered == 0)
            // It is asked all the same.
            let half = Publish(group: "s-member", isCommitted: false)
            #expect(try await publisher.publish(half).status)
            try await publisher.decide(half, TransactionAck.Status.commit)
            #expect(try await consumer.delivery().header.messageID == half.id)
        }
    }

    @Test func itGoesAndNothingIsLeftOfIt() async throws {
        try await BrokerFixture.serving { broker in
            let publisher = try await WireClient.connect(to: broker.address)
            _ = try await publisher.greetRaw(meta("p-pay", [.doesNotConsume]))
            try await broker.until { $0.connections == 1 }
            try await publisher.close()
            try await broker.until { $0.connections == 0 }
        }
    }

    @Test func noMoreIsInFlightThanAClientWants() async throws {
        try await BrokerFixture.serving { broker in
            let consumer = try await WireClient.connect(to: broker.address)
            _ = try await consumer.greetRaw(meta("s-member", [.extend], window: 2))
            let publisher = try await WireClient.greeted("p-pay", at: broker.address)
            for _ in 0..<6 { #expect(try await publisher.publish(Publish()).status) }
            for _ in 0..<3 {
                let two = [try await consumer.delivery(), try await consumer.delivery()]
                #expect(broker.broker.status?.gauges.inFlight == 2)
                for delivery in two { try await consumer.acknowledge(delivery) }
            }
            try await broker.until { $0.delivery.acknowledged == 6 }
        }
    }

    /// One of two deliveries is said to be worked on until the other one's time was up twice.
    @Test func whatIsWorkedOnIsNotSentAgain() async throws {
        try await BrokerFixture.serving(configure: { $0.topicDefaults.answerTime = 2_000_000_000 }) { broker in
            let consumer = try await WireClient.connect(to: broker.address)
            _ = try await consumer.greetRaw(meta("s-member", [.extend]))
            let publisher = try await WireClient.greeted("p-pay", at: broker.address)
            for _ in 0..<2 { #expect(try await publisher.publish(Publish()).status) }
            let (worked, silent) = (try await consumer.delivery(), try await consumer.delivery())
            while try #require(broker.broker.status).delivery.timedOut < 2 {
                // One that it never had is passed over.
                try await consumer.extend([UInt32(bitPattern: worked.opaque), 4_711])
                try await Task.sleep(for: .milliseconds(100))
            }
            try await consumer.acknowledge(worked)
            try await broker.until { $0.delivery.acknowledged == 1 }
            let status = try #require(broker.broker.status)
            #expect(status.delivery.lateAcknowledgements == 0 && status.delivery.extended > 10)
            for _ in 0..<2 {
                #expect(try await consumer.delivery().header.messageID == silent.header.messageID)
            }
        }
    }

    @Test func onlyWhoWasToldMayExtend() async throws {
        try await BrokerFixture.serving { broker in
            for capabilities in [nil, []] as [ClientCapabilities?] {
                let client = try await WireClient.connect(to: broker.address)
                _ = try await client.greetRaw(meta("s-member", capabilities))
                try await client.extend([1])
                try await client.closed()
            }
            // Of a client that does not consume there is nothing to extend, and no harm in it.
            let publisher = try await WireClient.connect(to: broker.address)
            _ = try await publisher.greetRaw(meta("s-member", [.extend, .doesNotConsume]))
            try await publisher.extend([1])
            #expect(try await publisher.publish(Publish()).status)
        }
    }

    @Test(arguments: [(4, 1_024), (2_000, 2_000)]) func anExtensionNamesNoMoreThanIsTaken(
        _ window: Int, _ most: UInt32
    ) async throws {
        try await BrokerFixture.serving(configure: { $0.delivery.window = window }) { broker in
            let client = try await WireClient.connect(to: broker.address)
            _ = try await client.greetRaw(meta("s-member", [.extend]))
            try await client.extend(Array(1...most))
            #expect(try await client.publish(Publish()).status, "it is still spoken to")
            try await client.extend(Array(0...most))
            try await client.closed()
            try await broker.until { $0.malformedPackets == 1 }
        }
    }
}

extension WireClient {
    /// Says who it is; returns the answer as it came.
    func greetRaw(_ meta: ConnMeta) async throws -> Packet {
        var buffer = ByteBuffer()
        try PacketWriter.writeConnMeta(into: &buffer, framing: .plain, opaque: 7, meta)
        try await send(buffer)
        return try await next(.connAuth)
    }

    func extend(_ opaques: [UInt32]) async throws {
        var buffer = ByteBuffer()
        try PacketWriter.writeDeliverExtend(
            into: &buffer, framing: .plain, opaque: 3, DeliverExtend(opaques: opaques))
        try await send(buffer)
    }
}
