import ArgumentParser
import KiteQ

/// Publishes numbered messages in their order at a rate.
struct FillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fill", abstract: "Publish numbered messages (run by the others).", shouldDisplay: false)

    @Option var brokers: String
    @Option var type: String
    @Option var count: Int
    @Option var size: Int
    /// Messages a second; 0: as fast as store acks come.
    @Option var rate: Int

    /// Messages that wait for their store acks together. The next ones go when all are there: so the order of the numbers is
    /// that of the broker's acceptance.
    private static let batch = 500

    func run() async throws {
        let configuration = Clients.configuration("p-fill", brokers.split(separator: ",").map(String.init))
        let producer = try Producer(configuration, topics: [Stage.topic], logger: quiet)
        try await Clients.running([producer]) {
            print("ready")
            let start = ContinuousClock.now
            var number = 0
            while number < count {
                let numbers = number..<min(number + Self.batch, count)
                if rate > 0 { try await Task.sleep(until: start + .seconds(1) * numbers.lowerBound / rate) }
                try await publish(numbers, producer)
                number = numbers.upperBound
            }
            print(FillReport(count: count, seconds: (ContinuousClock.now - start) / .seconds(1)).line)
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
        for attempt in 1... {
            let results = await producer.publish(contentsOf: open)
            open = zip(open, results).compactMap { message, result in
                if case .success = result { return nil }
                return message
            }
            if open.isEmpty { return }
            guard attempt < 20 else { throw BacklogError("\(open.count) messages are not taken") }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}

/// What a fill says at its end, read by who started it.
struct FillReport: Sendable {
    var count: Int
    var seconds: Double

    var line: String { "filled \(count) in \(seconds)" }

    init(count: Int, seconds: Double) {
        self.count = count
        self.seconds = seconds
    }
}
