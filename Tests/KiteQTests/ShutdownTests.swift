import KiteQBroker
import KiteQCore
import KiteQWire
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import KiteQ

/// What a graceful shutdown waits for, and for how long.
@Suite(.timeLimit(.minutes(2))) struct ShutdownTests {
    private let paid = Binding(group: "s-membership", topic: TestBroker.topic, messageType: "paid")
    private let subscriptions = [Subscription(topic: "trade", .messageType("paid"))]

    private func message(_ text: String) -> OutgoingMessage {
        OutgoingMessage(topic: TestBroker.topic, messageType: "paid", text: text)
    }

    private static let quiet: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    /// Runs a service while `body` does, which is given a way to stop it gracefully; then waits until it has ended by itself.
    private func stopping(
        _ service: any Service, _ body: @escaping @Sendable (@Sendable () async -> Void) async throws -> Void
    ) async throws {
        let services = ServiceGroup(services: [service], logger: Self.quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await services.run() }
            try await body { await services.triggerGracefulShutdown() }
            try await tasks.waitForAll()
        }
    }

    @Test func aHandlerThatRunsIsWaitedFor() async throws {
        try await TestBroker.serving([paid]) { broker in
            let (begun, gate, ended) = (Arrivals<String>(), Arrivals<Void>(), Arrivals<Void>())
            var configuration = broker.configuration("s-membership")
            // For the second, should it begin before the stop has reached the consumer.
            configuration.shutdownTimeout = .seconds(2)
            let consumer = try Consumer(
                configuration, subscriptions: subscriptions, concurrency: 1, logger: Self.quiet
            ) { message in
                begun.yield(message.body.string)
                _ = await gate.next(1)
                try Task.checkCancellation()
                ended.yield(())
            }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await running([producer]) {
                _ = await producer.publish(contentsOf: [message("1"), message("2")])
                try await stopping(consumer) { stop in
                    _ = await begun.next(1)
                    await stop()
                    gate.yield(())
                }
                _ = await ended.next(1)
                // The other one was not begun, or cancelled, and waits for the next consumer.
                while broker.broker.status?.connections != 1 { try await Task.sleep(for: .milliseconds(5)) }
                #expect(broker.broker.status?.delivery.acknowledged == 1)
                #expect(broker.broker.status?.delivery.refused == 0)
            }
        }
    }

    /// One at a time, and it hangs: what waits behind it keeps nobody from stopping.
    @Test func aHandlerThatHangsIsCancelled() async throws {
        try await TestBroker.serving([paid]) { broker in
            let begun = Arrivals<String>()
            var configuration = broker.configuration("s-membership")
            configuration.shutdownTimeout = .milliseconds(100)
            let consumer = try Consumer(
                configuration, subscriptions: subscriptions, concurrency: 1, logger: Self.quiet
            ) { message in
                begun.yield(message.body.string)
                try await Task.sleep(for: .seconds(3_600))
            }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await running([producer]) {
                _ = await producer.publish(contentsOf: [message("1"), message("2")])
                try await stopping(consumer) { stop in
                    _ = await begun.next(1)
                    await stop()
                }
                // It was not refused: it is lost with its connection, and comes again.
                while broker.broker.status?.delivery.lostWithConnection == 0 {
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(broker.broker.status?.delivery.refused == 0)
            }
        }
    }

    @Test func aPublishUnderWayIsWaitedFor() async throws {
        try await FakeBroker.serving(.init(answersPublishes: false)) { broker, address in
            var configuration = KiteQConfiguration(group: "p-pay", discovery: .brokers([address]))
            configuration.publishTimeout = .seconds(60)
            let producer = try Producer(configuration, topics: ["trade"], logger: Self.quiet)
            try await stopping(producer) { stop in
                async let receipt = producer.publish(message("1"))
                _ = try await broker.next(.stringMessage)
                await stop()
                // It stops as soon as it takes nothing more.
                while true {
                    do {
                        let result = await producer.publish(contentsOf: [])
                        #expect(result.isEmpty)
                        _ = try await producer.publish(OutgoingMessage(topic: "unknown", messageType: "t", text: ""))
                    } catch let error as KiteQError where error.code == .closed {
                        break
                    } catch {
                        try await Task.sleep(for: .milliseconds(1))
                    }
                }
                try broker.answerPublishes()
                _ = try await receipt
            }
        }
    }

    @Test func aPublishThatIsNeverAnsweredEndsWithTheStop() async throws {
        try await FakeBroker.serving(.init(answersPublishes: false)) { broker, address in
            var configuration = KiteQConfiguration(group: "p-pay", discovery: .brokers([address]))
            configuration.publishTimeout = .seconds(3_600)
            configuration.shutdownTimeout = .milliseconds(100)
            let producer = try Producer(configuration, topics: ["trade"], logger: Self.quiet)
            try await stopping(producer) { stop in
                async let receipt = producer.publish(message("1"))
                _ = try await broker.next(.stringMessage)
                await stop()
                do {
                    _ = try await receipt
                    Issue.record("nobody acknowledged it")
                } catch let error as KiteQError {
                    #expect(error.code == .outcomeUnknown)
                }
            }
        }
    }
}
