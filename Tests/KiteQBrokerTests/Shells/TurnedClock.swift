import KiteQCore
import NIOConcurrencyHelpers

/// A clock that only the test turns, and who waits for it.
final class TurnedClock: ProcessClock {
    private struct Sleeper {
        var end: MonotonicTime
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: MonotonicTime = 1_000_000_000_000
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var next = 0
        /// Tests that wait until somebody sleeps.
        var observers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = NIOLockedValueBox(State())

    let firstRound: MonotonicTime = 0

    func monotonic() -> MonotonicTime { state.withLockedValue { $0.now } }
    func wall() -> Timestamp { 1_800_000_000_000 + monotonic() / 1_000_000 }

    func sleep(until end: MonotonicTime) async throws {
        try Task.checkCancellation()
        let id = state.withLockedValue { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (outcome, observers) = state.withLockedValue {
                    state -> (Result<Void, any Error>?, [CheckedContinuation<Void, Never>]) in
                    if state.cancelled.remove(id) != nil { return (.failure(CancellationError()), []) }
                    guard end > state.now else { return (.success(()), []) }
                    state.sleepers[id] = Sleeper(end: end, continuation: continuation)
                    defer { state.observers = [] }
                    return (nil, state.observers)
                }
                if let outcome { continuation.resume(with: outcome) }
                for observer in observers { observer.resume() }
            }
        } onCancel: {
            let sleeper = state.withLockedValue { state -> Sleeper? in
                guard let sleeper = state.sleepers.removeValue(forKey: id) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Time passes; whose time is up wakes.
    func turn(_ duration: Duration) {
        let woken = state.withLockedValue { state in
            state.now += duration.nanoseconds
            let due = state.sleepers.filter { $0.value.end <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.sorted { $0.end < $1.end }
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }

    /// Returns once somebody sleeps.
    func untilSomebodySleeps() async {
        await withCheckedContinuation { observer in
            let isSo = state.withLockedValue { state in
                if state.sleepers.isEmpty { state.observers.append(observer) }
                return !state.sleepers.isEmpty
            }
            if isSo { observer.resume() }
        }
    }
}
