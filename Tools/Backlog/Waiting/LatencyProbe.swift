import KiteQ
import Synchronization

/// A group that is there all the time: messages at a steady rate, and how long each took from its publish to its handler.
final class LatencyProbe: Sendable {
    static let group = "s-probe"
    static let type = "probe"

    private struct State {
        var sent: [ContinuousClock.Instant] = []
        /// Milliseconds, in the order of `sent`.
        var latencies: [Int: Double] = [:]
        var refused = 0
    }

    private let state = Mutex(State())
    private let producer: Producer
    private let rate: Int

    private init(_ producer: Producer, rate: Int) {
        self.producer = producer
        self.rate = rate
    }

    /// With its clients connected while `body` runs.
    /// - Parameter rate: messages a second.
    static func running(
        _ broker: BrokerProcess, rate: Int, _ body: (LatencyProbe) async throws -> Void
    ) async throws {
        let producer = try Clients.producer("p-probe", at: [broker.address])
        let probe = LatencyProbe(producer, rate: rate)
        let consumer = try Clients.consumer(group, type: type, at: [broker.address]) { message in
            probe.arrived(message.body.string)
        }
        try await Clients.running([producer, consumer]) { try await body(probe) }
    }

    /// Publishes one at each interval, whether or not those before are stored, and returns the latencies when all have come.
    func measure(for duration: Duration) async throws -> [Double] {
        state.withLock { $0 = State() }
        try await withThrowingDiscardingTaskGroup { tasks in
            let start = ContinuousClock.now
            for number in 0..<Int(duration.seconds * Double(rate)) {
                try await Task.sleep(until: start + .seconds(1) * number / rate)
                tasks.addTask { try await self.publish() }
            }
        }
        try await until("the probe's messages came", within: .seconds(60), every: .milliseconds(10)) {
            state.withLock { $0.latencies.count + $0.refused >= $0.sent.count }
        }
        let (latencies, refused) = state.withLock { (Array($0.latencies.values), $0.refused) }
        if refused > 0 { progress("\(refused) of the probe's publishes were refused") }
        return latencies
    }

    private func publish() async throws {
        let number = state.withLock { state in
            state.sent.append(.now)
            return state.sent.count - 1
        }
        do {
            try await producer.publish(
                OutgoingMessage(topic: Stage.topic, messageType: Self.type, text: "\(number)"))
        } catch is KiteQError {
            state.withLock { $0.refused += 1 }
        }
    }

    private func arrived(_ text: String) {
        let now = ContinuousClock.now
        state.withLock { state in
            guard let number = Int(text), state.sent.indices.contains(number) else { return }
            state.latencies[number] = (now - state.sent[number]) / .milliseconds(1)
        }
    }
}
