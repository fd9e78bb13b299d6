import KiteQCore
import KiteQWire
import NIOCore
import NIOPosix
import Testing

@testable import KiteQBroker

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Sizes that public clients cannot take.
@Suite(.timeLimit(.minutes(2))) struct SizeTests {
    private let bindings = [
        Binding(group: "s-java", topic: "trade", messageType: "paid"),
        Binding(group: "s-go", topic: "trade", messageType: "paid"),
        Binding(group: "s-go", topic: "trade", messageType: "sent"),
    ]

    @Test func whatAGroupCannotTakeIsRefusedAtPublish() async throws {
        try await BrokerFixture.serving(
            bindings,
            configure: { configuration in
                configuration.access = AccessRules(groups: [BindingName("s-java"): GroupAccess(maxBody: 1_000)])
                configuration.topicMaxBody = ["trade": 5_000]
            }
        ) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            var message = WireClient.Publish()
            message.body = String(repeating: "x", count: 1_001)
            let refused = try await producer.publish(message)
            #expect(!refused.status && refused.feedback.contains("group s-java takes at most 1000"), "\(refused)")
            // Before the producer's own transaction, and not after it.
            message.isCommitted = false
            #expect(try await !producer.publish(message).status)
            message.isCommitted = true
            message.id = MessageID.random().description
            message.type = "sent"
            #expect(try await producer.publish(message).status, "s-java is not bound to it")
            message.body = String(repeating: "x", count: 5_001)
            #expect(try await producer.publish(message).feedback.contains("topic trade takes at most 5000"))
        }
    }

    /// A client with a small receive buffer starves where a segment is larger than that: on loopback alone.
    @Test func segmentsOverLoopbackFitASmallReceiveBuffer() async throws {
        try await BrokerFixture.serving { fixture in
            let client = try await WireClient.greeted("s-member", at: fixture.address)
            let bytes = try await client.channel.getOption(
                ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_MAXSEG))
            ).get()
            #expect((1_000...16_384).contains(Int(bytes)), "\(bytes)")
        }
    }

    @Test func aClientOfTheOldFramingIsDoubted() async throws {
        try await BrokerFixture.serving(configure: {
            $0.topicDefaults.redelivery =
                RedeliverySchedule(immediate: 1, steps: [], beyond: 60_000) ?? RedeliverySchedule()
        }) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address, framing: .lengthPrefixed)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            var message = WireClient.Publish()
            message.body = String(repeating: "x", count: 40_000)
            #expect(try await producer.publish(message).status)
            _ = try await consumer.delivery()
            try await consumer.close()
            try await fixture.until { status in
                status.groups.contains { $0.name == "s-member" && ($0.counters.lastDoubt?.bytes ?? 0) > 40_000 }
            }
        }
    }
}
