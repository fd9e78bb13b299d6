import DequeModule
import Synchronization

/// Where items wait for writers, and batches form by themselves: a writer that is free takes all that is there. A lone item
/// goes at once; load makes the batches. No timer.
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

    private struct State {
        var items = Deque<Item>()
        var bytes = 0
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

    /// A batch that is under way for so many ticks, the one included in which it was taken, holds up no other.
    private static var patience: Int { 2 }

    /// - Parameters:
    ///   - capacity: what may wait here.
    ///   - batch: what a batch has at the most.
    ///   - size: bytes of an item.
    init(capacity: Size, batch: Size, size: @escaping @Sendable (Item) -> Int) {
        self.capacity = capacity
        self.batch = batch
        self.size = size
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
        return taken
    }

    private func mayTake(_ state: State) -> Bool {
        guard !state.items.isEmpty else { return false }
        return state.items.count >= batch.items || state.bytes >= batch.bytes
            || state.underWay.allSatisfy { state.ticks - $0 >= Self.patience }
    }

    /// Idle writers that have something to do: one if there is a batch to take, all if there never will be.
    private func toWake(_ state: inout State) -> [Writer] {
        if state.isOver {
            defer { state.idle = [] }
            return state.idle
        }
        guard mayTake(state), let writer = state.idle.popLast() else { return [] }
        return [writer]
    }

    private func waitForItems() async {
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
