import Synchronization

/// The callers that wait, so that all of them can be told when the broker stops.
final class PullWaiters: Sendable {
    private struct State {
        var waiters: [ObjectIdentifier: PullWaiter] = [:]
        var end: MessagingError?
    }

    private let state = Mutex(State())

    /// Why nobody may wait any more; nil where one may.
    var end: MessagingError? { state.withLock { $0.end } }

    /// - Throws: ``MessagingError`` where nobody may wait any more.
    func insert(_ waiter: PullWaiter) throws(MessagingError) {
        let end = state.withLock { state in
            if state.end == nil { state.waiters[ObjectIdentifier(waiter)] = waiter }
            return state.end
        }
        if let end { throw end }
    }

    func remove(_ waiter: PullWaiter) {
        state.withLock { _ = $0.waiters.removeValue(forKey: ObjectIdentifier(waiter)) }
    }

    /// Ends all of them, and those to come. The first reason counts.
    func end(_ error: MessagingError) {
        let waiters = state.withLock { state in
            if state.end == nil { state.end = error }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.end(.failed(error)) }
    }
}
