import KiteQCore
import Synchronization

/// The bytes that requests' bodies, or answers, may have in memory at a time. What is beyond is refused before it is read, or made.
final class MemoryBudget: Sendable {
    private struct State {
        var shares: ByteShares
        /// Bytes that came back since what is free was given back to the system.
        var returned = 0
        var trimmedAt: ContinuousClock.Instant?
        var refused = 0
    }

    /// It is worth it after so many bytes, and not more often.
    private static let trimmedFrom = 32 << 20
    private static let trimPause = Duration.seconds(5)

    private let state: Mutex<State>

    init(_ bytes: Int) {
        state = Mutex(State(shares: ByteShares(all: bytes, share: AdminLimits.share(of: bytes))))
    }

    /// Bytes in use now.
    var taken: Int { state.withLock { $0.shares.taken } }
    /// How often there was no room.
    var refusals: Int { state.withLock { $0.refused } }

    /// Whether there was room; what is taken has to come back.
    func take(_ bytes: Int, for keys: [String]) -> Bool {
        state.withLock { state in
            let isTaken = state.shares.take(bytes, for: keys)
            if !isTaken { state.refused += 1 }
            return isTaken
        }
    }

    func giveBack(_ bytes: Int, for keys: [String]) {
        let isQuiet = state.withLock { state in
            state.shares.giveBack(bytes, for: keys)
            state.returned += bytes
            let now = ContinuousClock.now
            guard state.returned >= Self.trimmedFrom, state.shares.taken == 0,
                state.trimmedAt.map({ now - $0 >= Self.trimPause }) ?? true
            else { return false }
            (state.returned, state.trimmedAt) = (0, now)
            return true
        }
        if isQuiet { ProcessMemory.giveBack() }
    }
}
