import KiteQ
import KiteQCore
import KiteQStore
import Logging

/// Shows the broker at work, over TCP, with the client library, and checks each step.
///
/// Everything it prints it has seen: the rows are read from the tables, and what is not as it should be ends it with a
/// sentence that says what differed.
struct Demo: Sendable {
    private static let producers = "p-demo"
    /// For one step; the broker's question comes after 2 s.
    private static let patience: Duration = .seconds(15)

    private let topic: String
    private let tables: DemoTables
    private let events = DemoEvents()
    private let producer: Producer
    private let consumer: Consumer

    init(plan: DevPlan, address: BrokerAddress, database: MySQLStoreConfiguration, logger: Logger) throws {
        topic = plan.topics[0]
        tables = DemoTables(database, logger: logger)
        let events = self.events
        func client(_ group: String) -> KiteQConfiguration {
            KiteQConfiguration(group: group, discovery: .brokers([address.description]))
        }
        producer = try Producer(client(Self.producers), topics: [topic], logger: logger) { check in
            events.asked(check.messageID)
            return .commit
        }
        consumer = try Consumer(
            client(DevRegistry.demoGroup),
            subscriptions: [Subscription(topic: topic, .messageType(DevRegistry.demoType))], logger: logger
        ) { message in
            events.consumed(message.id)
        }
    }

    /// - Throws: ``CommandError`` that says what was not as it should be.
    func run() async throws {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await tables.run() }
            tasks.addTask { try await producer.run() }
            defer { tasks.cancelAll() }
            let first = try await publishToAnAbsentConsumer { tasks.addTask { try await consumer.run() } }
            let committed = try await commit()
            let rolledBack = try await rollBack()
            let forgotten = try await forget()
            try await checkTheEnd(delivered: [first, committed, forgotten], rolledBack: rolledBack)
        }
        let seconds = (ContinuousClock.now - start) / .milliseconds(100)
        say("Everything was as it should be (\(Int(seconds) / 10).\(Int(seconds) % 10) s).")
    }

    // MARK: Steps

    private func publishToAnAbsentConsumer(_ startConsumer: () -> Void) async throws -> MessageID {
        say("1. A message is published while its consumer, group \(DevRegistry.demoGroup), is away.")
        let message = outgoing("order 1 is paid")
        let id = try await publish(message)
        say("   published  \(id), acknowledged once it was committed in the table")
        try show(try await tables.message(id), startsWith: "1")
        startConsumer()
        try await consumed(id)
        say("   consumed   when the consumer came; its row is gone")
        return id
    }

    private func commit() async throws -> MessageID {
        say("2. A half message, committed.")
        let (id, prepared) = try await prepare("order 2 is paid")
        try show(try await tables.message(id), startsWith: "0")
        try expect(events.timesConsumed(id.description) == 0, "a half message was delivered before its commit")
        prepared.commit()
        try await consumed(id)
        say("   committed  and consumed")
        try show(try await tables.transaction(id), startsWith: "1")
        return id
    }

    private func rollBack() async throws -> MessageID {
        say("3. A half message, rolled back.")
        let (id, prepared) = try await prepare("order 3 is paid")
        prepared.rollBack(feedback: "the order was cancelled")
        try await until("the message that was rolled back is still in kite_message") {
            try await tables.message(id).row == nil
        }
        say("   rolled back, not consumed")
        try show(try await tables.transaction(id), startsWith: "2")
        return id
    }

    private func forget() async throws -> MessageID {
        say("4. A half message, forgotten.")
        let (id, _) = try await prepare("order 4 is paid")
        try show(try await tables.transaction(id), startsWith: "0")
        let start = ContinuousClock.now
        try await until("the broker did not ask what became of the forgotten message") {
            events.timesAsked(id.description) > 0
        }
        let tenths = Int((ContinuousClock.now - start) / .milliseconds(100))
        try await consumed(id)
        say("   after \(tenths / 10).\(tenths % 10) s the broker asked, the producer answered commit: consumed")
        try show(try await tables.transaction(id), startsWith: "1")
        return id
    }

    private func checkTheEnd(delivered: [MessageID], rolledBack: MessageID) async throws {
        say("5. What is left in the tables.")
        let all = delivered + [rolledBack]
        var counts: [(String, Int)] = []
        for table in ["kite_message", "kite_dead_letter"] {
            counts.append((table, try await tables.count(table, of: all)))
        }
        counts.append(("kite_delivery", try await tables.deliveries(of: DevRegistry.demoGroup)))
        say("   " + counts.map { "\($0.0) \($0.1)" }.joined(separator: ", ") + " rows; outcomes are kept for an hour")
        for (table, count) in counts { try expect(count == 0, "\(count) rows are left in \(table)") }
        try expect(events.timesConsumed(rolledBack.description) == 0, "the message that was rolled back was delivered")
        for id in delivered {
            let times = events.timesConsumed(id.description)
            try expect(times == 1, "\(id) was delivered \(times) times")
        }
    }

    // MARK: Pieces

    private func outgoing(_ text: String) -> OutgoingMessage {
        OutgoingMessage(topic: topic, messageType: DevRegistry.demoType, text: text)
    }

    private func publish(_ message: OutgoingMessage) async throws -> MessageID {
        try id(try await producer.publish(message).messageID)
    }

    private func prepare(_ text: String) async throws -> (MessageID, PreparedMessage) {
        let prepared = try await producer.prepare(outgoing(text))
        say("   stored     \(prepared.messageID)")
        return (try id(prepared.messageID), prepared)
    }

    private func id(_ text: String) throws -> MessageID {
        guard let id = MessageID(text) else { throw CommandError("the broker acknowledged an id of its own: \(text)") }
        return id
    }

    /// Consumed once, and gone from the table.
    private func consumed(_ id: MessageID) async throws {
        try await until("\(id) was not consumed") { events.timesConsumed(id.description) > 0 }
        try await until("\(id) was consumed and is still in kite_message") { try await tables.message(id).row == nil }
    }

    private func show(_ look: DemoTables.Look, startsWith expected: String) throws {
        say("   \(look.statement)")
        say("   → \(look.row?.joined(separator: ", ") ?? "no row")")
        try expect(look.row?.first?.hasPrefix(expected) == true, "the row should have begun with \(expected)")
    }

    private func until(_ otherwise: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while try await !condition() {
            try expect(ContinuousClock.now < deadline, "\(otherwise) after \(Self.patience)")
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func expect(_ condition: Bool, _ otherwise: String) throws {
        guard condition else { throw CommandError("the demonstration differs: \(otherwise)") }
    }

    private func say(_ line: String) { StandardOutput.print(line) }
}
