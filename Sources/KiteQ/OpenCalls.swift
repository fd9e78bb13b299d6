import Synchronization

/// The publishes and transactions under way, so that a stop can wait for them.
final class OpenCalls: Sendable {
    private struct State {
        var count = 0
        var isStopping = false
        var waiter: CheckedContinuation<Void, Never>?
        var isWaitCancelled = false
    }

    private let state = Mutex(State())

    /// - Throws: ``KiteQError`` with `closed` once the client stops.
    func begin() throws(KiteQError) {
        let isTaken = state.withLock { state in
            if !state.isStopping { state.count += 1 }
            return !state.isStopping
        }
        guard isTaken else { throw KiteQError(.closed, "the client is stopping") }
    }

    func end() {
        let waiter = state.withLock { state in
            state.count -= 1
            return state.count == 0 ? state.waiter.take() : nil
        }
        waiter?.resume()
    }

    /// Takes no more; returns when none is under way, or its task is cancelled.
    func stop() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    state.isStopping = true
                    if state.count == 0 || state.isWaitCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.isWaitCancelled = true
                return state.waiter.take()
            }
            waiter?.resume()
        }
    }
}
