import KiteQCore
import Synchronization

/// Where it is told that another broker has declared this one dead. The first word counts.
final class Fence: Sendable {
    private struct State {
        var error: StoreError?
        var watchers: [Int: CheckedContinuation<Void, any Error>] = [:]
        var cancelled: Set<Int> = []
        var next = 0
    }

    private let state = Mutex(State())

    var isRaised: Bool { state.withLock { $0.error != nil } }

    func raise(_ error: StoreError) {
        let watchers = state.withLock { state in
            guard state.error == nil else { return [CheckedContinuation<Void, any Error>]() }
            state.error = error
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.resume(throwing: error) }
    }

    /// Waits until it is raised.
    /// - Throws: the error it was raised with; `CancellationError` where the task is cancelled before.
    func watch() async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (watcher: CheckedContinuation<Void, any Error>) in
                let error = state.withLock { state -> (any Error)? in
                    if let error = state.error { return error }
                    if state.cancelled.contains(id) { return CancellationError() }
                    state.watchers[id] = watcher
                    return nil
                }
                if let error { watcher.resume(throwing: error) }
            }
        } onCancel: {
            let watcher = state.withLock { state in
                state.cancelled.insert(id)
                return state.watchers.removeValue(forKey: id)
            }
            watcher?.resume(throwing: CancellationError())
        }
    }
}
