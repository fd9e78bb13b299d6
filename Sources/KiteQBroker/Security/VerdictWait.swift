import KiteQCore
import Synchronization

/// One caller's wait for the verdict on it, which it gives up after a while.
final class VerdictWait: Sendable {
    private struct State {
        var verdict: Gatekeeper.Verdict?
        var isOver = false
        var caller: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// There is a verdict, or nobody waits for one any more.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// What comes first counts: a verdict, or nil for the end of its time.
    func end(_ verdict: Gatekeeper.Verdict?) {
        let caller = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.isOver else { return nil }
            (state.verdict, state.isOver) = (verdict, true)
            return state.caller.take()
        }
        caller?.resume()
    }

    /// Nil where none came in time, or the task was cancelled.
    func verdict(within time: Duration, _ clock: any ProcessClock) async -> Gatekeeper.Verdict? {
        await withTaskGroup(of: Void.self) { race in
            race.addTask {
                await clock.pause(time)
                self.end(nil)
            }
            await withCheckedContinuation { caller in
                let isOver = state.withLock { state in
                    if !state.isOver { state.caller = caller }
                    return state.isOver
                }
                if isOver { caller.resume() }
            }
            race.cancelAll()
        }
        return state.withLock { $0.verdict }
    }
}
