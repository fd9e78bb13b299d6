import KiteQBroker
import KiteQCore
import KiteQWire
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import KiteQ

/// Handlers that take their time, brokers that know what that means and such that do not.
@Suite(.timeLimit(.minutes(2))) struct ConsumerTimeTests {
    private let paid = Binding(group: "s-membership", topic: TestBroker.topic, messageType: "paid")
    private let subscriptions = [Subscription(topic: "trade", .messageType("paid"))]

    private func message(_ text: String, limit: Int = 100) -> OutgoingMessage {
        var message = OutgoingMessage(topic: TestBroker.topic, messageType: "paid", text: text)
        message.deliverLimit = limit
        return message
    }

    /// All of them together take five times the broker's timeout.
    @Test func aHundredThatWaitForOneHandlerAreHandledOnce() async throws {
        try await TestBroker.serving([paid], configure: { $0.topicDefaults.answerTime = 1_000_000_000 }) { broker in
            let arrived = Arrivals<String>()
            var configuration = broker.configuration("s-membership")
            // More than can be handled within the timeout: they are kept up while they wait.
            configuration.window = 64
            let consumer = try Consumer(configuration, subscriptions: subscriptions, concurrency: 1) { message in
                try await Task.sleep(for: .milliseconds(50))
                arrived.yield(message.body.string)
            }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await running([consumer, producer]) {
                _ = await producer.publish(contentsOf: (0..<100).map { message("\($0)") })
                let got = await arrived.next(100)
                #expect(Set(got).count == 100)
                while broker.broker.status?.delivery.acknowledged != 100 {
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(broker.broker.status?.delivery.delivered == 100)
            }
        }
    }

    @Test func aHandlerMayTakeLongerThanTheTimeout() async throws {
        try await TestBroker.serving([paid], configure: { $0.topicDefaults.answerTime = 500_000_000 }) { broker in
            let arrived = Arrivals<String>()
            let consumer = try Consumer(
                broker.configuration("s-membership"), subscriptions: subscriptions, concurrency: 1
            ) { message in
                arrived.yield(message.body.string)
                try await Task.sleep(for: .seconds(2))
            }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await running([consumer, producer]) {
                try await producer.publish(message("slow"))
                while broker.broker.status?.delivery.acknowledged != 1 {
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(broker.broker.status?.delivery.delivered == 1)
                #expect(await arrived.next(1) == ["slow"])
            }
        }
    }

    @Test func aHandlerThatHangsKeepsItsMessageNotForEver() async throws {
        try await TestBroker.serving([paid], configure: { $0.topicDefaults.answerTime = 300_000_000 }) { broker in
            var configuration = broker.configuration("s-membership")
            configuration.handlerTimeout = .milliseconds(600)
            let calls = Mutex(0)
            let again = Arrivals<Void>()
            let consumer = try Consumer(configuration, subscriptions: subscriptions, concurrency: 2) { _ in
                let call = calls.withLock { calls in
                    calls += 1
                    return calls
                }
                if call == 1 { try await Task.sleep(for: .seconds(3_600)) }
                again.yield(())
            }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await running([consumer, producer]) {
                try await producer.publish(message("1"))
                _ = await again.next(1)
                #expect(calls.withLock { $0 } == 2)
            }
        }
    }

    /// A broker of another make is not asked to wait; what it has given up is not begun.
    @Test func whatABrokerHasGivenUpIsDropped() async throws {
        try await FakeBroker.serving { broker, address in
            var configuration = KiteQConfiguration(group: "s-member", discovery: .brokers([address]))
            configuration.deliveryTimeout = .milliseconds(300)
            let (begun, gate) = (Arrivals<String>(), Arrivals<Void>())
            let consumer = try Consumer(configuration, subscriptions: subscriptions, concurrency: 1) { message in
                begun.yield(message.body.string)
                if message.body.string == "first" { _ = await gate.next(1) }
            }
            try await running([consumer]) {
                let meta = try await broker.nextGreeting()
                #expect(meta.capabilities == [.extend] && meta.window == 4)
                try broker.deliver("first", opaque: 1)
                #expect(await begun.next(1) == ["first"])
                for opaque in 2...9 as ClosedRange<Int32> { try broker.deliver("waits", opaque: opaque) }
                // Until they are old, whenever they came: what is tested is the clock.
                try await Task.sleep(for: .milliseconds(600))
                gate.yield(())
                #expect(try await broker.next(.deliverAck).header.opaque == 1)
                try broker.deliver("last", opaque: 10)
                #expect(await begun.next(1) == ["last"])
                #expect(try await broker.next(.deliverAck).header.opaque == 10)
            }
        }
    }

    @Test func aBrokerThatCanBeToldIsTold() async throws {
        let extensions = ConnAuthAck.Extensions(
            capabilities: [.extend, .respectsWindow], deliveryTimeoutMilliseconds: 300)
        try await FakeBroker.serving(.init(extensions: extensions)) { broker, address in
            var configuration = KiteQConfiguration(group: "s-member", discovery: .brokers([address]))
            configuration.window = 7
            let gate = Arrivals<Void>()
            let settings = configuration
            let consumer = try Consumer(settings, subscriptions: subscriptions, concurrency: 1) { _ in
                _ = await gate.next(1)
            }
            try await running([consumer]) {
                #expect(try await broker.nextGreeting().window == 7)
                for opaque in [1, 2, -3] as [Int32] { try broker.deliver("x", opaque: opaque) }
                var told: Set<UInt32> = []
                while told.count < 3 {
                    told.formUnion(try DeliverExtend(decoding: try await broker.next(.deliverExtend).body).opaques)
                }
                #expect(told == [1, 2, UInt32(bitPattern: -3)])
                for _ in 0..<3 { gate.yield(()) }
                for _ in 0..<3 { _ = try await broker.next(.deliverAck) }
            }
        }
    }

    @Test func aProducerTakesNothingFromTheConsumersOfItsGroup() async throws {
        try await TestBroker.serving([paid]) { broker in
            let arrived = Arrivals<String>()
            let producer = try Producer(broker.configuration("s-membership"), topics: ["trade"])
            let consumer = try Consumer(broker.configuration("s-membership"), subscriptions: subscriptions) {
                arrived.yield($0.body.string)
            }
            try await running([consumer, producer]) {
                _ = await producer.publish(contentsOf: (0..<40).map { message("\($0)", limit: 1) })
                #expect(Set(await arrived.next(40)).count == 40)
                #expect(broker.broker.status?.delivery.deadLettered == 0)
                #expect(broker.broker.status?.delivery.delivered == 40)
            }
        }
    }

    /// It does not know better, and gives a producer what it does not want: that is left unanswered.
    @Test func aProducerRefusesNothing() async throws {
        try await FakeBroker.serving { broker, address in
            let configuration = KiteQConfiguration(group: "p-pay", discovery: .brokers([address]))
            let producer = try Producer(configuration, topics: ["trade"])
            try await running([producer]) {
                #expect(try await broker.nextGreeting().capabilities == [.doesNotConsume])
                for opaque in 1...3 as ClosedRange<Int32> { try broker.deliver("x", opaque: opaque) }
                // What it would have answered would have come before this.
                try await producer.publish(message("1"))
                try await producer.publish(message("2"))
                for await packet in broker.packets {
                    #expect(packet.header.command != .deliverAck)
                    if broker.publishes == 2, packet.header.command.isMessage { break }
                }
            }
        }
    }
}
