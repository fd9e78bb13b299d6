import Synchronization

/// What the demonstration's consumer and producer have seen.
final class DemoEvents: Sendable {
    private struct State {
        var consumed: [String: Int] = [:]
        var asked: [String: Int] = [:]
    }

    private let state = Mutex(State())

    func consumed(_ id: String) { state.withLock { $0.consumed[id, default: 0] += 1 } }
    func asked(_ id: String) { state.withLock { $0.asked[id, default: 0] += 1 } }

    func timesConsumed(_ id: String) -> Int { state.withLock { $0.consumed[id] ?? 0 } }
    func timesAsked(_ id: String) -> Int { state.withLock { $0.asked[id] ?? 0 } }
}
