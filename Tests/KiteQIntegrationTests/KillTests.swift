import Foundation
import KiteQ
import LocalServers
import Logging
import MariaDB
import ServiceLifecycle
import Synchronization
import Testing

/// A broker that is killed in the middle of everything, and started again.
@Suite(.timeLimit(.minutes(3)), .serialized) struct KillTests {
    private static let bindings = """
          - {groupIds: [s-flight], topic: trade, messageType: flight, bindType: direct}
          - {groupIds: [s-fourth], topic: trade, messageType: fourth, bindType: direct}
          - {groupIds: [s-done, s-undone], topic: trade, messageType: both, bindType: direct}
          - {groupIds: [s-away], topic: trade, messageType: away, bindType: direct}
          - {groupIds: [s-tx], topic: trade, messageType: tx, bindType: direct}
        """

    private func message(_ type: String, _ text: String = "") -> OutgoingMessage {
        var message = OutgoingMessage(topic: "trade", messageType: type, text: text)
        message.properties = ["which": text]
        return message
    }

    /// Events by name, to be awaited.
    private final class Journal: Sendable {
        private let counts = Mutex<[String: Int]>([:])

        func note(_ event: String) -> Int {
            counts.withLock { counts in
                counts[event, default: 0] += 1
                return counts[event] ?? 0
            }
        }

        func count(_ event: String) -> Int { counts.withLock { $0[event] ?? 0 } }

        func until(_ event: String, _ count: Int) async throws {
            while self.count(event) < count { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    private func consumer(
        _ broker: ServedBroker, _ group: String, _ type: String,
        _ handler: @escaping @Sendable (IncomingMessage) async throws -> Void
    ) throws -> Consumer {
        var logger = Logger(label: group)
        logger.logLevel = .critical
        return try Consumer(
            configuration(group, broker),
            subscriptions: [Subscription(topic: "trade", .messageType(type))], logger: logger, handler: handler)
    }

    private func configuration(_ group: String, _ broker: ServedBroker) -> KiteQConfiguration {
        var configuration = KiteQConfiguration(group: group, discovery: .brokers([broker.address]))
        configuration.publishTimeout = .seconds(60)
        configuration.connectTimeout = .seconds(30)
        return configuration
    }

    private struct NotNow: Error {}

    @Test func everythingThatWasBegunIsFinished() async throws {
        let database = try LocalMariaDB(
            dataDirectory: try LocalServers.temporaryFolder("mariadb"), options: ["--max-allowed-packet=16M"])
        try await database.start()
        let broker = try ServedBroker(databasePort: database.port, bindings: Self.bindings)
        #expect(try broker.migrate() == 0)
        let first = try broker.serve()

        let journal = Journal()
        let isRestarted = Mutex(false)
        let consumers = [
            // Delivered, and never acknowledged before the kill.
            try consumer(broker, "s-flight", "flight") { _ in
                _ = journal.note("flight")
                while !isRestarted.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
                _ = journal.note("flight done")
            },
            try consumer(broker, "s-fourth", "fourth") { _ in
                if journal.note("fourth") < 4 { throw NotNow() }
            },
            try consumer(broker, "s-done", "both") { _ in _ = journal.note("done") },
            try consumer(broker, "s-tx", "tx") { _ = journal.note("tx \($0.body.string)") },
        ]
        var logger = Logger(label: "producer")
        logger.logLevel = .critical
        let producer = try Producer(
            configuration("p-pay", broker), topics: ["trade"], logger: logger
        ) { check in
            _ = journal.note("asked \(check.properties["which"] ?? "")")
            return .commit
        }
        let away = try consumer(broker, "s-away", "away") { _ in _ = journal.note("away") }
        let undone = try consumer(broker, "s-undone", "both") { _ in _ = journal.note("undone") }

        try await withThrowingTaskGroup(of: Void.self) { tasks in
            func run(_ service: any Service) {
                tasks.addTask {
                    do {
                        try await service.run()
                    } catch is CancellationError {
                        return
                    }
                }
            }
            for consumer in consumers { run(consumer) }
            run(producer)

            for type in ["flight", "fourth", "both", "away"] { try await producer.publish(message(type)) }
            let rolledBack = try await producer.prepare(message("tx", "rolled back"))
            rolledBack.rollBack()
            let committed = try await producer.prepare(message("tx", "committed"))
            committed.commit()
            _ = try await producer.prepare(message("tx", "forgotten"))
            try await journal.until("flight", 1)
            try await journal.until("fourth", 3)
            try await journal.until("done", 1)
            try await journal.until("tx committed", 1)
            // Written after a second: s-done has it, s-undone does not.
            try await rows(database.port, "kite_delivery", atLeast: 2)

            broker.kill(first)
            isRestarted.withLock { $0 = true }
            let second = try broker.serve()
            run(away)
            run(undone)
            try await journal.until("flight", 2)
            try await journal.until("fourth", 4)
            try await journal.until("away", 1)
            try await journal.until("undone", 1)
            try await journal.until("asked forgotten", 1)
            try await journal.until("tx forgotten", 1)
            try await rows(database.port, "kite_message", exactly: 0)
            try await rows(database.port, "kite_delivery", exactly: 0)
            try await rows(database.port, "kite_dead_letter", exactly: 0)
            #expect(journal.count("done") == 1, "a group that had it is left alone")
            #expect(journal.count("tx committed") <= 2, "once more at the most: its removal may not have been written")
            #expect(journal.count("tx rolled back") == 0)
            #expect(journal.count("away") == 1 && journal.count("undone") == 1 && journal.count("tx forgotten") == 1)
            #expect(broker.stop(second) == 0)
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
        await database.stop()
    }

    /// Waits until both shards together have so many rows.
    private func rows(
        _ port: Int, _ table: String, exactly count: Int? = nil, atLeast least: Int = 0
    ) async throws {
        var logger = Logger(label: "rows")
        logger.logLevel = .critical
        let pool = MariaDBPool(
            MariaDBConfiguration(servers: [.tcp(host: "127.0.0.1", port: port)], user: "root", password: ""),
            logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pool.run() }
            defer { tasks.cancelAll() }
            while true {
                let found = try await pool.withConnection { connection in
                    try (0..<2).reduce(0) { sum, shard in
                        try sum + (connection.query("SELECT COUNT(*) FROM kite_\(shard).\(table)").first?.int(0) ?? 0)
                    }
                }
                if let count, found == count { return }
                if count == nil && found >= least { return }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
