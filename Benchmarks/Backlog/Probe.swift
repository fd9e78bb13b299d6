import Glibc
import KiteQ
import Synchronization

/// A group that is there all the time: a message now and then, and how long each took from its publish to its handler.
final class Probe: Sendable {
    static let group = "s-probe"
    static let type = "probe"

    private struct State {
        var phase = ""
        var order: [String] = []
        var latencies: [String: [Double]] = [:]
        var sent: [String: Int] = [:]
        var failed: [String: Int] = [:]
    }

    private let state = Mutex(State())
    private let rate: Int

    init(rate: Int) { self.rate = rate }

    /// What comes is counted for this phase from now on.
    func enter(_ phase: String) {
        state.withLock {
            $0.phase = phase
            $0.order.append(phase)
        }
    }

    /// Publishes and consumes while `body` runs.
    func run(_ broker: String, _ body: () async throws -> Void) async throws {
        let consumer = try Consumer(
            Clients.configuration(Self.group, [broker]),
            subscriptions: [.init(topic: Stage.topic, .messageType(Self.type))], logger: quiet
        ) { message in
            let now = Self.now()
            let parts = message.body.string.split(separator: " ", maxSplits: 1)
            // Counted for the phase in which it was sent.
            guard parts.count == 2, let sent = Int64(parts[0]) else { return }
            self.state.withLock { $0.latencies[String(parts[1]), default: []].append(Double(now - sent) / 1e6) }
        }
        let producer = try Producer(
            Clients.configuration("p-probe", [broker]), topics: [Stage.topic], logger: quiet)
        try await Clients.running([consumer, producer]) {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await self.publish(producer) }
                defer { tasks.cancelAll() }
                try await body()
            }
        }
    }

    /// One at each interval, whether or not those before are stored.
    private func publish(_ producer: Producer) async throws {
        try await withThrowingDiscardingTaskGroup { tasks in
            let start = ContinuousClock.now
            for number in 0... {
                try await Task.sleep(until: start + .seconds(1) * number / rate)
                let phase = state.withLock { state in
                    state.sent[state.phase, default: 0] += 1
                    return state.phase
                }
                tasks.addTask {
                    do {
                        try await producer.publish(
                            OutgoingMessage(
                                topic: Stage.topic, messageType: Self.type, text: "\(Self.now()) \(phase)"))
                    } catch is KiteQError {
                        self.state.withLock { $0.failed[phase, default: 0] += 1 }
                    }
                }
            }
        }
    }

    /// Nanoseconds of a clock that does not go back.
    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// A row for each phase.
    var table: String {
        let state = state.withLock { $0 }
        let lines = state.order.map { phase in
            let sorted = (state.latencies[phase] ?? []).sorted()
            func at(_ share: Double) -> String {
                sorted.isEmpty ? "" : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))].text
            }
            return
                "| \(phase) | \(state.sent[phase] ?? 0) | \(state.failed[phase] ?? 0) | \(at(0.5)) | \(at(0.9)) | \(at(0.99)) | \(sorted.last?.text ?? "") |"
        }
        return
            (["| phase | sent | refused | p50 ms | p90 ms | p99 ms | longest ms |",
              "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"] + lines).joined(separator: "\n")
    }
}
