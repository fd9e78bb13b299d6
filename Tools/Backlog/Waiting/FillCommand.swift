import ArgumentParser
import KiteQ

/// Publishes numbered messages in their order.
struct FillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fill", abstract: "Publish numbered messages (run by the others).", shouldDisplay: false)

    @Option var broker: String
    @Option var type: String
    @Option var count: Int
    /// Bytes of a body.
    @Option var size: Int
    /// Messages a second, at most.
    @Option var rate: Int

    /// Messages that wait for their store acks together. The next ones go when all are there, so that the order of the numbers
    /// is that of the broker's acceptance.
    static let batch = 500

    func run() async throws {
        let producer = try Clients.producer("p-fill", at: [broker])
        try await Clients.running([producer]) {
            say("ready")
            let start = ContinuousClock.now
            for first in stride(from: 0, to: count, by: Self.batch) {
                try await Task.sleep(until: start + .seconds(1) * first / rate)
                try await publish(first..<min(first + Self.batch, count), producer)
            }
        }
    }

    /// What is refused, or whose outcome is not known, is published again with the same id.
    private func publish(_ numbers: Range<Int>, _ producer: Producer) async throws {
        var open = numbers.map { number in
            let head = "\(number) "
            return OutgoingMessage(
                topic: Stage.topic, messageType: type,
                text: head + String(repeating: "x", count: max(0, size - head.utf8.count)))
        }
        for _ in 0..<20 {
            let results = await producer.publish(contentsOf: open)
            open = zip(open, results).compactMap { message, result in
                if case .success = result { nil } else { message }
            }
            if open.isEmpty { return }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw BacklogError("\(open.count) messages are not taken")
    }
}
