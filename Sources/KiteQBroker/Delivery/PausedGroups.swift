import KiteQCore
import Synchronization

/// Tells the dispatcher which groups are paused, as the store has them.
final class PausedGroups: Sendable {
    private struct State {
        var lastBegun = 0
        var lastApplied = 0
    }

    private let store: any PauseStore
    private let dispatcher: Dispatcher
    private let state = Mutex(State())

    init(store: any PauseStore, dispatcher: Dispatcher) {
        self.store = store
        self.dispatcher = dispatcher
    }

    /// Reads them, and puts them into force. Of several readings at a time the one that was begun last counts.
    func refresh() async throws {
        let number = state.withLock { state in
            state.lastBegun += 1
            return state.lastBegun
        }
        let groups = try await store.pausedGroups()
        state.withLock { state in
            guard number > state.lastApplied else { return }
            state.lastApplied = number
            dispatcher.setPaused(groups)
        }
    }
}
