package import KiteQCore
import Synchronization

/// Set once, and seen by everybody who waits or asks later.
package final class Latch: Sendable {
    private struct State {
        var isSet = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    package init() {}

    package var isSet: Bool { state.withLock { $0.isSet } }

    package func set() {
        let waiters = state.withLock { state in
            state.isSet = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when it is set, or when the task is cancelled.
    package func wait() async {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    // The handler may have run already: then nobody would wake this waiter.
                    if state.isSet || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }

    /// Returns when the time is up, too.
    package func wait(upTo time: Duration, _ clock: any ProcessClock) async {
        guard time > .zero else { return }
        await withTaskGroup(of: Void.self) { race in
            race.addTask { await clock.pause(time) }
            race.addTask { await self.wait() }
            await race.next()
            race.cancelAll()
        }
    }
}
