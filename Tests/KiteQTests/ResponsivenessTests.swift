import KiteQCore
import KiteQWire
import Synchronization
import Testing

@testable import KiteQ

/// Brokers that hang, and messages whose outcome is not known.
@Suite(.timeLimit(.minutes(2))) struct ResponsivenessTests {
    private func message(_ text: String) -> OutgoingMessage {
        OutgoingMessage(topic: "trade", messageType: "paid", text: text)
    }

    private func withTwo(
        _ manners: FakeBroker.Manners, adjust: (inout KiteQConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (FakeBroker, FakeBroker, Producer) async throws -> Void
    ) async throws {
        try await FakeBroker.serving(manners) { first, firstAddress in
            try await FakeBroker.serving(manners) { second, secondAddress in
                var configuration = KiteQConfiguration(
                    group: "p-pay", discovery: .brokers([firstAddress, secondAddress]))
                configuration.publishTimeout = .seconds(60)
                adjust(&configuration)
                let producer = try Producer(configuration, topics: ["trade"])
                try await running([producer]) {
                    _ = try await (first.nextGreeting(), second.nextGreeting())
                    try await body(first, second, producer)
                }
            }
        }
    }

    @Test func aBrokerThatHangsIsGoneRound() async throws {
        try await withTwo(.init(), adjust: { $0.suspectAfter = .milliseconds(200) }) { hung, other, producer in
            // Both are in use.
            while hung.publishes == 0 || other.publishes == 0 { try await producer.publish(message("before")) }
            hung.behave { ($0.answersPublishes, $0.answersHeartBeats) = (false, false) }
            let before = hung.publishes
            try await withThrowingTaskGroup(of: Void.self) { stuck in
                while hung.publishes == before {
                    stuck.addTask { try await producer.publish(message("stuck")) }
                    try await Task.sleep(for: .milliseconds(10))
                }
                // It was asked for a sign of life: it is known to hang.
                _ = try await hung.next(.heartbeat)
                let met = hung.publishes
                for number in 0..<20 { try await producer.publish(message("\(number)")) }
                #expect(hung.publishes == met)
                // Anything it says brings it back.
                hung.behave { ($0.answersPublishes, $0.answersHeartBeats) = (true, true) }
                try hung.answerPublishes()
                while hung.publishes == met {
                    try await producer.publish(message("after"))
                    try await Task.sleep(for: .milliseconds(1))
                }
                try await stuck.waitForAll()
            }
        }
    }

    @Test func oneThatHangsIsUsedWhereThereIsNoOther() async throws {
        try await FakeBroker.serving { broker, address in
            var configuration = KiteQConfiguration(group: "p-pay", discovery: .brokers([address]))
            configuration.suspectAfter = .milliseconds(50)
            configuration.publishTimeout = .milliseconds(200)
            let producer = try Producer(configuration, topics: ["trade"])
            try await running([producer]) {
                broker.behave { ($0.answersPublishes, $0.answersHeartBeats) = (false, false) }
                for _ in 0..<2 {
                    let error = await #expect(throws: KiteQError.self) { try await producer.publish(message("1")) }
                    #expect(error?.code == .outcomeUnknown)
                }
                #expect(broker.publishes == 2)
            }
        }
    }

    @Test func aRepeatedPublishGoesWhereItWentFirst() async throws {
        let adjust: (inout KiteQConfiguration) -> Void = {
            $0.publishTimeout = .milliseconds(200)
            $0.suspectAfter = .seconds(60)
        }
        try await withTwo(.init(answersPublishes: false), adjust: adjust) { first, second, producer in
            for number in 0..<6 {
                let before = (first.publishes, second.publishes)
                let message = message("\(number)")
                for _ in 0..<3 {
                    let error = await #expect(throws: KiteQError.self) { try await producer.publish(message) }
                    #expect(error?.code == .outcomeUnknown)
                }
                let results = await producer.publish(contentsOf: [message])
                #expect(throws: KiteQError.self) { try results[0].get() }
                let met = (first.publishes - before.0, second.publishes - before.1)
                #expect(met == (4, 0) || met == (0, 4), "\(met)")
            }
            #expect(first.publishes > 0 && second.publishes > 0, "others go in turn")
        }
    }

    // MARK: What users are told

    @Test func whatIsWrongWithTheConnectionIsASentence() async throws {
        var configuration = KiteQConfiguration(group: "p-pay", discovery: .brokers(["127.0.0.1:1"]))
        configuration.publishTimeout = .milliseconds(500)
        let nobody = try await failure(configuration)
        #expect(nobody.message.contains("(127.0.0.1:1: connection refused)"), "\(nobody)")
        configuration = KiteQConfiguration(group: "p-pay", discovery: .brokers(["no-such-host.invalid:1"]))
        configuration.publishTimeout = .seconds(5)
        let nameless = try await failure(configuration)
        #expect(nameless.message.contains("there is no host of the name no-such-host.invalid"), "\(nameless)")
    }

    private func failure(_ configuration: KiteQConfiguration) async throws -> KiteQError {
        let producer = try Producer(configuration, topics: ["trade"])
        let failure = Mutex<KiteQError?>(nil)
        try await running([producer]) {
            do {
                try await producer.publish(message("1"))
            } catch let error as KiteQError {
                failure.withLock { $0 = error }
            }
        }
        return try #require(failure.withLock { $0 })
    }

    // MARK: Transactions

    /// Sells, and tells of it, with what it has sold as its own state.
    private actor Shop {
        private(set) var sold = 0
        private(set) var log: [String] = []

        func sell(_ message: OutgoingMessage, _ producer: Producer) async throws -> Int {
            try await producer.publishInTransaction(message) {
                sold += 1
                log.append("sold")
                return sold
            }
        }

        func sellQuietly(_ message: OutgoingMessage, _ producer: Producer) async throws {
            try await producer.publishInTransaction(message) {
                sold += 1
                return sold
            }
        }
    }

    @Test func theBodyOfATransactionMayTouchItsActor() async throws {
        try await withTwo(.init()) { first, second, producer in
            let shop = Shop()
            #expect(try await shop.sell(message("1"), producer) == 1)
            try await shop.sellQuietly(message("2"), producer)
            #expect(await shop.sold == 2)
            #expect(first.publishes + second.publishes == 2)
        }
    }
}
