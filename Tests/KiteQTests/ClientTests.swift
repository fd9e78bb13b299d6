import KiteQBroker
import KiteQCore
import Synchronization
import Testing

@testable import KiteQ

@Suite(.timeLimit(.minutes(3))) struct ClientTests {
    private let paid = Binding(group: "s-membership", topic: TestBroker.topic, messageType: "paid")

    private func message(_ text: String, type: String = "paid") -> OutgoingMessage {
        var message = OutgoingMessage(topic: TestBroker.topic, messageType: type, text: text)
        message.properties = ["order": text]
        return message
    }

    @Test func aMessageIsPublishedAndConsumed() async throws {
        try await TestBroker.serving([paid]) { broker in
            let arrived = Arrivals<IncomingMessage>()
            let consumer = try Consumer(
                broker.configuration("s-membership"), subscriptions: [.init(topic: "trade", .messageType("paid"))]
            ) { arrived.yield($0) }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await running([consumer, producer]) {
                let sent = message("17")
                let receipt = try await producer.publish(sent)
                #expect(receipt.messageID == sent.id)
                let got = await arrived.next(1)[0]
                #expect(got.id == sent.id && got.body == .text("17") && got.properties == ["order": "17"])
                #expect(got.publisherGroup == "p-pay" && got.createdAt > 0)
            }
        }
    }

    @Test func anIDThatIsInUseIsRefusedWithASentence() async throws {
        try await TestBroker.serving([paid]) { broker in
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await running([producer]) {
                let sent = message("17")
                let prepared = try await producer.prepare(sent)
                let error = await #expect(throws: KiteQError.self) { try await producer.publish(sent) }
                #expect(error?.code == .refused && error?.isRetriable == false)
                #expect(error?.message.contains("not decided") == true, "\(String(describing: error))")
                prepared.commit()
            }
        }
    }

    @Test func theTraceOfAMessageReachesItsConsumerUnchanged() async throws {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let context = try #require(TraceContext(traceparent: parent, tracestate: "rojo=1,congo=t61rcWkgMzE"))
        try await TestBroker.serving([paid]) { broker in
            let arrived = Arrivals<IncomingMessage>()
            let consumer = try Consumer(
                broker.configuration("s-membership"), subscriptions: [.init(topic: "trade", .messageType("paid"))]
            ) { arrived.yield($0) }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await running([consumer, producer]) {
                var traced = message("1")
                traced.traceContext = context
                try await producer.publish(traced)
                var wrong = message("2")
                wrong.properties["traceparent"] = "not a trace"
                try await producer.publish(wrong)
                let got = await arrived.next(2).sorted { $0.body.string < $1.body.string }
                #expect(got[0].traceContext == context)
                #expect(
                    got[0].properties == [
                        "order": "1", "traceparent": parent, "tracestate": "rojo=1,congo=t61rcWkgMzE",
                    ])
                #expect(got[1].traceContext == nil)
                #expect(got[1].properties["traceparent"] == "not a trace", "it is not the broker's to judge")
            }
        }
    }

    @Test func aTraceIsKeptAmongTheProperties() throws {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
        #expect(TraceContext(traceparent: "00-xyz-1-01") == nil)
        let context = try #require(TraceContext(traceparent: parent, tracestate: ""))
        #expect(context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736" && context.parentID == "00f067aa0ba902b7")
        #expect(!context.isSampled && context.tracestate == nil)
        var message = message("1")
        message.properties["tracestate"] = "of=another"
        message.traceContext = context
        #expect(message.properties == ["order": "1", "traceparent": parent])
        message.traceContext = nil
        #expect(message.properties == ["order": "1"])
    }

    @Test func aBatchHasAResultForEach() async throws {
        try await TestBroker.serving([paid]) { broker in
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade", "nobody"])
            try await running([producer]) {
                var wrong = message("x")
                wrong.id = "not an id"
                let results = await producer.publish(contentsOf: [
                    message("1"), wrong, OutgoingMessage(topic: "nobody", messageType: "x", text: ""), message("2"),
                ])
                #expect(results.count == 4)
                #expect(throws: Never.self) { try results[0].get() }
                #expect(throws: Never.self) { try results[3].get() }
                #expect(throws: KiteQError.self) { try results[1].get() }
                let refused = #expect(throws: KiteQError.self) { try results[2].get() }
                #expect(refused?.code == .refused)
            }
        }
    }

    @Test func aTransactionIsDeliveredOnlyWhenItSucceeds() async throws {
        struct Declined: Error {}
        try await TestBroker.serving([paid]) { broker in
            let arrived = Arrivals<String>()
            let consumer = try Consumer(
                broker.configuration("s-membership"), subscriptions: [.init(topic: "trade", .messageType("paid"))]
            ) { arrived.yield($0.body.string) }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await running([consumer, producer]) {
                await #expect(throws: Declined.self) {
                    try await producer.publishInTransaction(message("declined")) { throw Declined() }
                }
                let value = try await producer.publishInTransaction(message("accepted")) { 42 }
                #expect(value == 42)
                #expect(await arrived.next(1) == ["accepted"], "the one rolled back before it never comes")
            }
        }
    }

    @Test func theBrokerAsksAboutWhatWasForgotten() async throws {
        try await TestBroker.serving(
            [paid],
            configure: {
                $0.transactions = TransactionSchedule(firstAfter: 50, longest: 100)
                $0.recoveryInterval = .milliseconds(20)
            }
        ) { broker in
            let arrived = Arrivals<String>()
            let asked = Arrivals<KiteQ.TransactionCheck>()
            let consumer = try Consumer(
                broker.configuration("s-membership"), subscriptions: [.init(topic: "trade", .messageType("paid"))]
            ) { arrived.yield($0.body.string) }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"]) { check in
                asked.yield(check)
                return check.properties["order"] == "good" ? .commit : .rollBack
            }
            try await running([consumer, producer]) {
                _ = try await producer.prepare(message("bad"))
                let good = try await producer.prepare(message("good"))
                let checks = await asked.next(2)
                #expect(checks.contains { $0.messageID == good.messageID && $0.messageType == "paid" })
                #expect(await arrived.next(1) == ["good"])
            }
        }
    }

    @Test func aHandlerThatThrowsGetsTheMessageAgain() async throws {
        struct NotNow: Error {}
        try await TestBroker.serving([paid]) { broker in
            let attempts = Mutex(0)
            let arrived = Arrivals<Int>()
            let consumer = try Consumer(
                broker.configuration("s-membership"), subscriptions: [.init(topic: "trade", .messageType("paid"))]
            ) { _ in
                let attempt = attempts.withLock { attempts in
                    attempts += 1
                    return attempts
                }
                if attempt < 3 { throw NotNow() }
                arrived.yield(attempt)
            }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await running([consumer, producer]) {
                try await producer.publish(message("1"))
                #expect(await arrived.next(1) == [3])
            }
        }
    }

    @Test func noMoreHandlersRunThanAllowed() async throws {
        try await TestBroker.serving([paid]) { broker in
            let running = Mutex((now: 0, most: 0))
            let arrived = Arrivals<Void>()
            let consumer = try Consumer(
                broker.configuration("s-membership"), subscriptions: [.init(topic: "trade", .messageType("paid"))],
                concurrency: 3
            ) { _ in
                running.withLock { running in
                    running.now += 1
                    running.most = max(running.most, running.now)
                }
                for _ in 0..<20 { await Task.yield() }
                running.withLock { $0.now -= 1 }
                arrived.yield(())
            }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await KiteQTests.running([consumer, producer]) {
                let results = await producer.publish(contentsOf: (0..<200).map { message("\($0)") })
                #expect(results.allSatisfy { if case .success = $0 { true } else { false } })
                _ = await arrived.next(200)
                #expect(running.withLock { $0.most } <= 3)
            }
        }
    }

    @Test func aConsumerThatIsBusyForLongKeepsItsConnection() async throws {
        try await TestBroker.serving([paid], configure: { $0.idleTimeout = .seconds(2) }) { broker in
            let arrived = Arrivals<String>()
            let done = Mutex(false)
            var configuration = broker.configuration("s-membership")
            configuration.heartbeatInterval = .milliseconds(200)
            let consumer = try Consumer(
                configuration, subscriptions: [.init(topic: "trade", .messageType("paid"))], concurrency: 1
            ) { message in
                arrived.yield(message.body.string)
                while !done.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
            }
            let producer = try Producer(broker.configuration("p-pay"), topics: ["trade"])
            try await running([consumer, producer]) {
                // The broker sends all the time and hears of no message, for longer than it bears silence.
                let end = ContinuousClock.now + .seconds(4)
                var sent = 0
                while ContinuousClock.now < end {
                    try await producer.publish(message("\(sent)"))
                    sent += 1
                    try await Task.sleep(for: .milliseconds(50))
                }
                done.withLock { $0 = true }
                #expect(Set(await arrived.next(sent)).count == sent, "what comes twice came over a second connection")
            }
        }
    }

    @Test func aWrongSecretIsToldAndNothingIsSent() async throws {
        try await TestBroker.serving([paid], configure: { $0.access = AccessRules(plain: ["p-pay": "right"]) }) {
            broker in
            var configuration = broker.configuration("p-pay")
            configuration.secret = "wrong"
            configuration.publishTimeout = .seconds(5)
            let producer = try Producer(configuration, topics: ["trade"])
            try await running([producer]) {
                let error = await #expect(throws: KiteQError.self) { try await producer.publish(message("1")) }
                #expect(error?.code == .notConnected)
                #expect(error?.message.contains("secret") == true)
            }
        }
    }

    @Test func withoutABrokerAPublishEndsInTime() async throws {
        var configuration = KiteQConfiguration(group: "p-pay", discovery: .brokers(["127.0.0.1:1"]))
        configuration.publishTimeout = .milliseconds(200)
        let producer = try Producer(configuration, topics: ["trade"])
        try await running([producer]) {
            let error = await #expect(throws: KiteQError.self) { try await producer.publish(message("1")) }
            #expect(error?.code == .notConnected && error?.isRetriable == true)
        }
        let error = await #expect(throws: KiteQError.self) { try await producer.publish(message("1")) }
        #expect(error?.code == .closed)
    }

    @Test func aClientReconnectsToABrokerThatComesBack() async throws {
        let store = InMemoryMessageStoreBox()
        let arrived = Arrivals<String>()
        try await TestBroker.serving([paid], store: store.session()) { broker in
            guard let port = BrokerAddress(broker.address)?.port else { return }
            var configuration = broker.configuration("p-pay")
            configuration.publishTimeout = .seconds(20)
            let settings = configuration
            let consumer = try Consumer(
                broker.configuration("s-membership"), subscriptions: [.init(topic: "trade", .messageType("paid"))]
            ) { arrived.yield($0.body.string) }
            let producer = try Producer(settings, topics: ["trade"])
            try await running([consumer, producer]) {
                try await producer.publish(message("before"))
                #expect(await arrived.next(1) == ["before"])
                try await broker.stop()
                try await TestBroker.serving([paid], port: port, store: store.session()) { _ in
                    // Where the old broker took it with it, the same message is published again: it has the same id.
                    let after = message("after")
                    while true {
                        do {
                            try await producer.publish(after)
                            break
                        } catch let error as KiteQError where error.isRetriable || error.code == .refused {
                            continue
                        }
                    }
                    #expect(await arrived.next(1) == ["after"])
                }
            }
        }
    }

    @Test(arguments: [
        KiteQConfiguration.Discovery.brokers([]), .brokers(["no port"]), .zooKeeper(""), .zooKeeper("host:port:x"),
    ])
    func whatCannotBeUsedIsSaidAtOnce(discovery: KiteQConfiguration.Discovery) {
        let error = #expect(throws: KiteQError.self) {
            try Producer(KiteQConfiguration(group: "p", discovery: discovery), topics: ["trade"])
        }
        #expect(error?.code == .invalid)
    }

    /// Brokers would ignore it, and its group would wait for nothing.
    @Test(arguments: [
        [Subscription(topic: "trade", .matching("("))],
        (0..<201).map { Subscription(topic: "trade", .matching("^pay-\($0)$")) },
        (0..<6).map { Subscription(topic: "trade", .matching("(.?){990}Z\($0)")) },
        [Subscription(topic: "", .all)],
    ])
    func whatNoBrokerWouldTakeIsNotSubscribedTo(subscriptions: [Subscription]) {
        let configuration = KiteQConfiguration(group: "s-member", discovery: .brokers(["127.0.0.1:1"]))
        let error = #expect(throws: KiteQError.self) {
            try Consumer(configuration, subscriptions: subscriptions) { _ in }
        }
        #expect(error?.code == .invalid && error?.message.isEmpty == false)
    }
}
