import DequeModule
import Synchronization

/// Where items wait for writers, and batches form by themselves: a writer that is free takes all that is there. A lone item
/// goes at once; load makes the batches. No timer.
///
/// It is bounded: what does not fit is handed back to the caller.
final class BatchLane<Item: Sendable>: Sendable {
    private struct State {
        var items = Deque<Item>()
        var bytes = 0
        var idle: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let maxItems: Int
    private let maxBytes: Int
    private let size: @Sendable (Item) -> Int

    init(maxItems: Int, maxBytes: Int, size: @escaping @Sendable (Item) -> Int) {
        self.maxItems = maxItems
        self.maxBytes = maxBytes
        self.size = size
    }

    /// Appends as many as fit, in order; returns how many that were.
    func submit(_ items: [Item]) -> Int {
        let (accepted, wake) = state.withLock { state -> (Int, CheckedContinuation<Void, Never>?) in
            guard !state.isClosed else { return (0, nil) }
            var accepted = 0
            for item in items {
                let bytes = size(item)
                guard state.items.count < maxItems, state.bytes + bytes <= maxBytes || state.items.isEmpty else {
                    break
                }
                state.items.append(item)
                state.bytes += bytes
                accepted += 1
            }
            return (accepted, accepted > 0 ? state.idle.popLast() : nil)
        }
        wake?.resume()
        return accepted
    }

    /// Takes what waits, at most so much, at least one item; waits while there is none. `prepare` sees the batch before any
    /// other writer can take the next one. Nil once the lane is closed and empty.
    func take(
        maxItems: Int, maxBytes: Int, prepare: (inout [Item]) -> Void = { _ in }
    ) async -> [Item]? {
        while true {
            let taken = state.withLock { state -> [Item]? in
                guard !state.items.isEmpty else { return state.isClosed ? [] : nil }
                var batch: [Item] = []
                batch.reserveCapacity(min(state.items.count, maxItems))
                var total = 0
                while batch.count < maxItems, let next = state.items.first {
                    let bytes = size(next)
                    guard batch.isEmpty || total + bytes <= maxBytes else { break }
                    total += bytes
                    batch.append(next)
                    state.items.removeFirst()
                }
                state.bytes -= total
                prepare(&batch)
                return batch
            }
            if let taken { return taken.isEmpty ? nil : taken }
            await waitForItems()
        }
    }

    private func waitForItems() async {
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                if !state.items.isEmpty || state.isClosed { return true }
                state.idle.append(continuation)
                return false
            }
            if goesOn { continuation.resume() }
        }
    }

    /// Takes out what stands at the front for as long as it is to go.
    func removeFirst(while isToGo: (Item) -> Bool) -> [Item] {
        state.withLock { state in
            var gone: [Item] = []
            while let first = state.items.first, isToGo(first) {
                state.bytes -= size(first)
                gone.append(first)
                state.items.removeFirst()
            }
            return gone
        }
    }

    /// Takes nothing more; writers end once it is empty.
    func close() {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        for continuation in idle { continuation.resume() }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    var depth: (items: Int, bytes: Int) {
        state.withLock { ($0.items.count, $0.bytes) }
    }
}
