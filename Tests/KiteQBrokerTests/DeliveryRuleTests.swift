import KiteQCore
import KiteQStore
import KiteQWire
import NIOCore
import Testing

@testable import KiteQBroker

/// What a consumer sees of the rules of delivery, over its connection.
@Suite(.timeLimit(.minutes(3))) struct DeliveryRuleTests {
    @Test func aSuccessCountsThoughItsTimeWasUp() async throws {
        let store = InMemoryMessageStore()
        try await BrokerFixture.serving(store: store, configure: { $0.topicDefaults.answerTime = 50_000_000 }) {
            fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let publisher = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await publisher.publish(.init(deliverLimit: 3)).status)
            let first = try await consumer.delivery()
            // All its attempts are used up, and it lies among the dead letters.
            try await fixture.until { $0.delivery.deadLettered == 1 && $0.gauges.unflushed == 0 }
            #expect(store.isEmpty)
            try await consumer.acknowledge(first)
            try await fixture.until { $0.delivery.acknowledged == 1 && $0.gauges.unflushed == 0 }
            #expect(try await store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).letters.isEmpty)
        }
    }

    /// One of twenty-one ends its consumer, which is started again each time.
    @Test func aMessageThatEndsItsConsumerDiesAlone() async throws {
        let store = InMemoryMessageStore()
        try await BrokerFixture.serving(store: store) { fixture in
            var consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let publisher = try await WireClient.greeted("p-pay", at: fixture.address)
            for number in 0..<21 {
                let body = number == 10 ? "poison" : "\(number)"
                #expect(try await publisher.publish(.init(body: body, deliverLimit: 3)).status)
            }
            try await fixture.until { $0.gauges.inFlight == 21 }
            var handled: [String] = []
            while handled.count < 20 || fixture.broker.status?.delivery.deadLettered == 0 {
                let delivered = try await consumer.delivery()
                guard delivered.body == "poison" else {
                    handled.append(delivered.body)
                    try await consumer.acknowledge(delivered)
                    continue
                }
                try await consumer.close()
                try await fixture.until { $0.connectionsByGroup["s-member"] == nil }
                if fixture.broker.status?.delivery.deadLettered == 1, handled.count == 20 { break }
                consumer = try await WireClient.greeted("s-member", at: fixture.address)
            }
            #expect(Set(handled).count == 20)
            try await fixture.until { $0.gauges.unflushed == 0 && $0.gauges.messages == 0 }
            let dead = try await store.deadLetters(DeadLetterFilter(), after: nil, limit: 30).letters
            #expect(dead.count == 1)
        }
    }

    /// A publisher of the consumers' own group, which answers no delivery.
    @Test func aConnectionThatOnlyPublishesIsSentNothing() async throws {
        try await BrokerFixture.serving([Binding(group: "both", topic: "trade", messageType: "paid")]) { fixture in
            let consumer = try await WireClient.greeted("both", at: fixture.address)
            let publisher = try await WireClient.greeted("both", at: fixture.address)
            for number in 0..<40 {
                #expect(try await publisher.publish(.init(body: "\(number)", deliverLimit: 1)).status)
                #expect(try await consumer.delivery().body == "\(number)")
            }
        }
    }

    // MARK: Memory

    /// It sends heartbeats for ever, and reads none of the answers.
    @Test func whoDoesNotReadWhatItAskedForIsNotReadEither() async throws {
        try await BrokerFixture.serving(configure: { $0.packetTimeout = .milliseconds(100) }) { fixture in
            let client = try await WireClient.greeted("s-member", at: fixture.address)
            try await client.channel.setOption(.autoRead, value: false).get()
            var beats = ByteBuffer()
            for beat in 0..<1_000 as Range<Int32> {
                PacketWriter.writeHeartBeat(into: &beats, framing: .plain, opaque: beat, HeartBeat(version: 1))
            }
            let bytes = beats
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    // Ends with the connection.
                    do { while true { try await client.send(bytes) } } catch {}
                }
                try await fixture.until { $0.connections == 0 }
                client.channel.close(promise: nil)
            }
            try await fixture.until { $0.refusals["slow"] == 1 && $0.connections == 0 }
            #expect(try await WireClient.greeted("s-member", at: fixture.address).publish(.init()).status)
        }
    }

    /// Consumers of many groups that read nothing: each message is once in memory, and the copies on their way are bounded.
    @Test func deliveriesThatNobodyReadsAreBounded() async throws {
        let groups = (0..<20).map { "s-\($0)" }
        try await BrokerFixture.serving(
            groups.map { Binding(group: $0, topic: "trade", messageType: "paid") },
            configure: { $0.delivery.memoryBytes = 4 << 20 }
        ) { fixture in
            for group in groups {
                let client = try await WireClient.greeted(group, at: fixture.address)
                try await client.channel.setOption(.autoRead, value: false).get()
            }
            let publisher = try await WireClient.greeted("p-pay", at: fixture.address)
            let body = String(repeating: "x", count: 1 << 20)
            for _ in 0..<12 { #expect(try await publisher.publish(.init(body: body)).status) }
            // What the kernel's buffers take is not in the broker's memory.
            let most = (4 << 20) + (1 << 20) + 1_024
            let gauges = try #require(fixture.broker.status?.gauges)
            #expect(gauges.unwritten <= most && gauges.bytes <= most)
        }
    }
}
