import Foundation
import KiteQ
import Logging
import Testing

@testable import kiteq

/// `publish` and `consume` against a broker of their own, all of them processes.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ClientCommandTests {
    private static let bindings = """
        bindings:
          - groupIds: ["s-trade"]
            topic: "trade"
            messageType: "paid"

        """

    private func withBroker(_ body: (CommandProcess, String) async throws -> Void) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString).yaml")
        try Self.bindings.write(to: file, atomically: true, encoding: .utf8)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: file) } }
        let broker = try CommandProcess([
            "serve", "--topics", "trade", "--store", "memory://", "--registry", "file://\(file.path)", "--bind",
            "127.0.0.1:0", "--log-level", "error",
        ])
        let line = try broker.firstLine()
        let address = try #require(line.split(separator: " on ").last?.split(separator: " ").first.map(String.init))
        do {
            try await body(broker, address)
        } catch {
            broker.process.terminate()
            throw error
        }
        broker.process.terminate()
        #expect(try broker.wait().status == 0)
    }

    @Test func whatIsPublishedIsConsumed() async throws {
        try await withBroker { _, address in
            let publish = ["publish", "--brokers", address, "--topic", "trade", "--type", "paid"]
            let one = try CommandProcess.run(publish + ["order 1", "--property", "k=v"])
            #expect(one.status == 0)
            #expect(one.output.hasSuffix(" stored\n"))
            let lines = try CommandProcess.run(publish + ["-"], input: "order 2\norder 3\n")
            #expect(lines.output.split(separator: "\n").count == 2)
            let half = try CommandProcess.run(publish + ["--half", "--rollback", "order 4"])
            #expect(half.output.hasSuffix(" stored, rolled back\n"))
            let committed = try CommandProcess.run(publish + ["--half", "--commit", "order 5"])
            #expect(committed.output.hasSuffix(" stored, committed\n"))
            let many = try CommandProcess.run(publish + ["--size", "3", "--count", "250"])
            #expect(many.output.split(separator: "\n").count == 250)

            let consume = ["consume", "--brokers", address, "--group", "s-trade", "--topic", "trade", "--type", "paid"]
            let consumed = try CommandProcess.run(consume + ["--limit", "254", "--json"])
            #expect(consumed.status == 0)
            let objects = try consumed.output.split(separator: "\n").map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
            let bodies = objects.compactMap { $0["body"] as? String }
            #expect(Set(bodies).isSuperset(of: ["order 1", "order 2", "order 3", "order 5", "1 a", "250"]))
            #expect(bodies.count == 254)
            #expect(!bodies.contains("order 4"))
            #expect(
                objects.first { $0["body"] as? String == "order 1" }?["properties"] as? [String: String] == ["k": "v"])
        }
    }

    @Test func whatIsRefusedIsStatus1() async throws {
        try await withBroker { _, address in
            let publish = [
                "publish", "--brokers", address, "--topic", "elsewhere", "--type", "paid", "--count", "2", "x",
            ]
            let refused = try CommandProcess.run(publish)
            #expect(refused.status == 1)
            #expect(refused.output.split(separator: "\n").allSatisfy { $0.contains(" refused: ") })
            #expect(refused.error == "kiteq: 2 of 2 messages were not taken\n")
        }
    }

    @Test func aMessageThatWasRefusedComesAgain() async throws {
        try await withBroker { _, address in
            _ = try CommandProcess.run(["publish", "--brokers", address, "--topic", "trade", "--type", "paid", "again"])
            let consume = ["consume", "--brokers", address, "--group", "s-trade", "--topic", "trade", "--type", "paid"]
            let failing = try CommandProcess.run(consume + ["--limit", "2", "--fail"])
            #expect(failing.status == 0)
            #expect(Set(failing.output.split(separator: "\n")).count == 1)
            #expect(failing.output.split(separator: "\n").count == 2)
            let taking = try CommandProcess.run(consume + ["--limit", "1"])
            #expect(taking.output.hasSuffix(" trade/paid again\n"))
        }
    }

    @Test func aBrokerThatIsNotThereIsOneSentence() throws {
        let outcome = try CommandProcess.run([
            "publish", "--brokers", "127.0.0.1:1", "--topic", "trade", "--type", "paid", "x", "--log-level", "error",
        ])
        #expect(outcome.status == 1)
        #expect(outcome.output == "")
        #expect(outcome.error.hasPrefix("kiteq: no broker of topic trade could be reached"))
        #expect(outcome.error.filter(\.isNewline).count == 1)
    }

    @Test func aSecondSignalEndsTheBrokerAtOnce() async throws {
        try await withStuckDelivery { broker in
            let start = ContinuousClock.now
            kill(broker.process.processIdentifier, SIGINT)
            // It drains for 10 s; the second signal is not to be taken for the first.
            #expect(try broker.errorLine(with: "stopping").contains("stopping"))
            kill(broker.process.processIdentifier, SIGINT)
            let outcome = try broker.wait()
            #expect(outcome.status == 130)
            #expect(outcome.error.hasSuffix("kiteq: ended at once by a second signal\n"))
            #expect(ContinuousClock.now - start < .seconds(8))
        }
    }

    /// A broker one of whose deliveries is never acknowledged.
    private func withStuckDelivery(_ body: @escaping @Sendable (CommandProcess) async throws -> Void) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString).yaml")
        try Self.bindings.write(to: file, atomically: true, encoding: .utf8)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: file) } }
        let broker = try CommandProcess([
            "serve", "--topics", "trade", "--store", "memory://", "--registry", "file://\(file.path)", "--bind",
            "127.0.0.1:0", "--set", "delivery.timeout=1m",
        ])
        let line = try broker.firstLine()
        let address = try #require(line.split(separator: " on ").last?.split(separator: " ").first.map(String.init))
        let (arrivals, arrived) = AsyncStream<Void>.makeStream()
        var quiet = Logger(label: "test")
        quiet.logLevel = .error
        let consumer = try Consumer(
            KiteQConfiguration(group: "s-trade", discovery: .brokers([address])),
            subscriptions: [Subscription(topic: "trade", .messageType("paid"))], logger: quiet
        ) { _ in
            arrived.yield()
            try await Task.sleep(for: .seconds(3_600))  // Until it is cancelled.
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await consumer.run() }
            #expect(
                try CommandProcess.run(["publish", "--brokers", address, "--topic", "trade", "--type", "paid", "x"])
                    .status == 0)
            for await _ in arrivals { break }
            try await body(broker)
            tasks.cancelAll()
        }
    }
}
