import DequeModule
import KiteQCore
import Synchronization

/// Where items wait for writers, and batches form by themselves: a writer that is free takes all that is there. A lone item
/// goes at once; load makes the batches. No timer, but for items that nobody waits for (``Hold``).
///
/// Few large batches cost the store less than many small ones. So with several writers a second batch goes beside one under
/// way only if it is a whole one, or if that one takes long: `tick` tells, called again and again.
///
/// It is bounded: what does not fit is handed back to the caller.
final class BatchLane<Item: Sendable>: Sendable {
    /// How many items, and how large they are together.
    struct Size: Sendable {
        var items: Int
        var bytes = Int.max
    }

    /// Items that nobody waits for are held back for a moment where they are few and alone: each batch is a transaction, and a log
    /// flush, however small it is.
    struct Hold: Sendable {
        /// Since the first of them came.
        var time: Duration
        /// So many are not few.
        var items: Int
        var isPatient: @Sendable (Item) -> Bool
    }

    private struct State {
        var items = Deque<Item>()
        var bytes = 0
        /// Of `items`, those that are not patient.
        var urgent = 0
        /// When the first of `items` is held back no longer.
        var heldUntil: MonotonicTime?
        /// Set where a writer need not wait until then.
        var released: Latch?
        /// A writer was cancelled while it waited for that: nothing is held back any more.
        var isHurried = false
        /// The ticks at which the batches under way were taken.
        var underWay: [Int] = []
        var ticks = 0
        var idle: [Writer] = []
        var isClosed = false
        var isOver: Bool { isClosed && items.isEmpty }
    }

    private typealias Writer = CheckedContinuation<Void, Never>

    private let state = Mutex(State())
    private let capacity: Size
    private let batch: Size
    private let size: @Sendable (Item) -> Int
    private let hold: Hold?
    private let clock: any ProcessClock

    /// A batch that is under way for so many ticks, the one included in which it was taken, holds up no other.
    private static var patience: Int { 2 }

    /// - Parameters:
    ///   - capacity: what may wait here.
    ///   - batch: what a batch has at the most.
    ///   - size: bytes of an item.
    ///   - hold: which items are held back; nil: none.
    init(
        capacity: Size, batch: Size, size: @escaping @Sendable (Item) -> Int, hold: Hold? = nil,
        clock: any ProcessClock
    ) {
        self.capacity = capacity
        self.batch = batch
        self.size = size
        self.hold = hold
        self.clock = clock
    }

    /// Appends as many as fit, in order; returns how many that were.
    func submit(_ items: [Item]) -> Int {
        let (accepted, writers) = state.withLock { state -> (Int, [Writer]) in
            guard !state.isClosed else { return (0, []) }
            var accepted = 0
            for item in items {
                let bytes = size(item)
                guard state.items.count < capacity.items, state.bytes + bytes <= capacity.bytes || state.items.isEmpty
                else { break }
                state.items.append(item)
                state.bytes += bytes
                if let hold {
                    if !hold.isPatient(item) { state.urgent += 1 }
                    if state.heldUntil == nil { state.heldUntil = clock.monotonic() + hold.time.nanoseconds }
                }
                accepted += 1
            }
            return (accepted, toWake(&state))
        }
        for writer in writers { writer.resume() }
        return accepted
    }

    /// One writer: hands batches to `write`, each of at least one item, until the lane is closed and empty. `prepare` sees a
    /// batch before any other writer can take the next one.
    func work(prepare: (inout [Item]) -> Void = { _ in }, _ write: ([Item]) async -> Void) async {
        while let taken = await take(prepare) {
            await write(taken.batch)
            state.withLock { state in
                if let index = state.underWay.firstIndex(of: taken.tick) { state.underWay.remove(at: index) }
            }
        }
    }

    private func take(_ prepare: (inout [Item]) -> Void) async -> (batch: [Item], tick: Int)? {
        while true {
            let (batch, tick, isOver, writers) = state.withLock { state in
                guard mayTake(state) else { return ([Item](), 0, state.isOver, [Writer]()) }
                var batch = removeBatch(&state)
                prepare(&batch)
                state.underWay.append(state.ticks)
                return (batch, state.ticks, false, toWake(&state))
            }
            for writer in writers { writer.resume() }
            if isOver { return nil }
            if !batch.isEmpty { return (batch, tick) }
            await waitForItems()
        }
    }

    private func removeBatch(_ state: inout State) -> [Item] {
        var count = 0
        var bytes = 0
        for item in state.items.prefix(batch.items) {
            let size = size(item)
            guard count == 0 || bytes + size <= batch.bytes else { break }
            bytes += size
            count += 1
        }
        let taken = Array(state.items.prefix(count))
        state.items.removeFirst(count)
        state.bytes -= bytes
        if let hold {
            state.urgent -= taken.count { !hold.isPatient($0) }
            state.heldUntil = state.items.isEmpty ? nil : clock.monotonic() + hold.time.nanoseconds
        }
        return taken
    }

    private func mayTake(_ state: State) -> Bool {
        guard !state.items.isEmpty, !isHeldBack(state) else { return false }
        return state.items.count >= batch.items || state.bytes >= batch.bytes
            || state.underWay.allSatisfy { state.ticks - $0 >= Self.patience }
    }

    private func recount(_ state: inout State) {
        guard let hold else { return }
        state.urgent = state.items.count { !hold.isPatient($0) }
        if state.items.isEmpty { state.heldUntil = nil }
    }

    private func isHeldBack(_ state: State) -> Bool {
        guard let hold, let until = state.heldUntil, !state.isClosed, !state.isHurried else { return false }
        return state.urgent == 0 && state.items.count < hold.items && clock.monotonic() < until
    }

    /// Idle writers that have something to do: one if there is a batch to take, all if there never will be.
    private func toWake(_ state: inout State) -> [Writer] {
        if state.isOver {
            defer { state.idle = [] }
            return state.idle
        }
        guard mayTake(state) else { return wakeForHold(&state) }
        state.released?.set()
        guard let writer = state.idle.popLast() else { return [] }
        return [writer]
    }

    /// One writer waits for the end of the time.
    private func wakeForHold(_ state: inout State) -> [Writer] {
        guard isHeldBack(state), state.released == nil, let writer = state.idle.popLast() else { return [] }
        return [writer]
    }

    private func waitForItems() async {
        if let (released, until) = state.withLock({ state -> (Latch, MonotonicTime)? in
            guard isHeldBack(state), state.released == nil, let until = state.heldUntil else { return nil }
            let released = Latch()
            state.released = released
            return (released, until)
        }) {
            await released.wait(upTo: .nanoseconds(until - clock.monotonic()), clock)
            return state.withLock { state in
                state.released = nil
                if Task.isCancelled { state.isHurried = true }
            }
        }
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                if mayTake(state) || state.isOver { return true }
                state.idle.append(continuation)
                return false
            }
            if goesOn { continuation.resume() }
        }
    }

    /// Time has passed: what waits behind a batch that takes long need not wait for it any more.
    func tick() {
        let writers = state.withLock { state in
            state.ticks += 1
            return toWake(&state)
        }
        for writer in writers { writer.resume() }
    }

    /// Takes out what stands at the front for as long as it is to go.
    func removeFirst(while isToGo: (Item) -> Bool) -> [Item] {
        let (gone, writers) = state.withLock { state in
            var gone: [Item] = []
            while let first = state.items.first, isToGo(first) {
                state.bytes -= size(first)
                gone.append(first)
                state.items.removeFirst()
            }
            recount(&state)
            return (gone, toWake(&state))
        }
        for writer in writers { writer.resume() }
        return gone
    }

    /// Takes out all that are to go, wherever they stand.
    func remove(where isToGo: (Item) -> Bool) -> [Item] {
        let (gone, writers) = state.withLock { state -> ([Item], [Writer]) in
            let gone = Array(state.items.filter(isToGo))
            guard !gone.isEmpty else { return ([], []) }
            state.items.removeAll(where: isToGo)
            state.bytes -= gone.reduce(0) { $0 + size($1) }
            recount(&state)
            return (gone, toWake(&state))
        }
        for writer in writers { writer.resume() }
        return gone
    }

    /// Takes nothing more; writers end once it is empty.
    func close() {
        let writers = state.withLock { state in
            state.isClosed = true
            return toWake(&state)
        }
        for writer in writers { writer.resume() }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    var depth: (items: Int, bytes: Int) {
        state.withLock { ($0.items.count, $0.bytes) }
    }
}
