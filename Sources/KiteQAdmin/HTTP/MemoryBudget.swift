import KiteQCore
import Synchronization

/// The bytes that requests' bodies, or answers, may have in memory at a time. What is beyond waits a moment, and is refused before it is
/// read, or made.
final class MemoryBudget: Sendable {
    private struct State {
        var shares: ByteShares
        /// Bytes that came back since what is free was given back to the system.
        var returned = 0
        var trimmedAt: ContinuousClock.Instant?
        var refused = 0
        /// In their order.
        var waiting: [RoomWaiter] = []
    }

    /// It is worth it after so many bytes, and not more often.
    private static let trimmedFrom = 32 << 20
    private static let trimPause = Duration.seconds(5)

    private let state: Mutex<State>

    private let patience: Duration

    /// - Parameter patience: how long a request may wait for room.
    init(_ bytes: Int, patience: Duration) {
        self.patience = patience
        state = Mutex(State(shares: ByteShares(all: bytes, share: AdminLimits.share(of: bytes))))
    }

    /// Bytes in use now.
    var taken: Int { state.withLock { $0.shares.taken } }
    /// Requests that wait for room.
    var waitingCount: Int { state.withLock { $0.waiting.count } }
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

    /// The same, where others may give back what is wanted in time. It is in turn behind those who wait for the same share.
    func takeInTime(_ bytes: Int, for keys: [String]) async -> Bool {
        let waiter = RoomWaiter(bytes, for: keys)
        let isTaken = state.withLock { state in
            let isInTurn = !state.waiting.contains { other in keys.contains { other.keys.contains($0) } }
            if isInTurn, state.shares.take(bytes, for: keys) { return true }
            state.waiting.append(waiter)
            return false
        }
        if isTaken { return true }
        let hasRoom = await waiter.hasRoom(within: patience)
        if !hasRoom {
            state.withLock { state in
                state.refused += 1
                state.waiting.removeAll { $0 === waiter }
                // Those behind it may be smaller.
                Self.letIn(&state)
            }
        }
        return hasRoom
    }

    /// Gives room to those who wait, each in turn behind those who wait for the same share.
    private static func letIn(_ state: inout State) {
        var heldUp: Set<String> = []
        var left: [RoomWaiter] = []
        for waiter in state.waiting {
            guard heldUp.isDisjoint(with: waiter.keys), state.shares.take(waiter.bytes, for: waiter.keys) else {
                heldUp.formUnion(waiter.keys)
                left.append(waiter)
                continue
            }
            // Its time was over in this very moment.
            if !waiter.end(true) { state.shares.giveBack(waiter.bytes, for: waiter.keys) }
        }
        state.waiting = left
    }

    func giveBack(_ bytes: Int, for keys: [String]) {
        let isQuiet = state.withLock { state in
            state.shares.giveBack(bytes, for: keys)
            Self.letIn(&state)
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
