import DequeModule
import Synchronization

/// Items handed from many to one consumer, until it is finished.
///
/// Not an AsyncStream: that one ends with its consumer's task, and a pool whose task is cancelled has connections to close
/// still.
final class WorkQueue<Item: Sendable>: Sendable {
    private struct State {
        var items = Deque<Item>()
        var consumer: CheckedContinuation<Item?, Never>?
        var isFinished = false
    }

    private let state = Mutex(State())

    /// What comes after the end is dropped.
    func append(_ item: Item) {
        let consumer = state.withLock { state -> CheckedContinuation<Item?, Never>? in
            guard !state.isFinished else { return nil }
            guard let consumer = state.consumer.take() else {
                state.items.append(item)
                return nil
            }
            return consumer
        }
        consumer?.resume(returning: item)
    }

    /// No more items: the consumer gets those that are there, then nil.
    func finish() {
        let consumer = state.withLock { state in
            state.isFinished = true
            return state.consumer.take()
        }
        consumer?.resume(returning: nil)
    }

    /// The next item, nil after the last. One consumer, which cancellation does not wake.
    func next() async -> Item? {
        await withCheckedContinuation { continuation in
            let (isReady, item) = state.withLock { state -> (Bool, Item?) in
                if let item = state.items.popFirst() { return (true, item) }
                if state.isFinished { return (true, nil) }
                precondition(state.consumer == nil, "a work queue has one consumer")
                state.consumer = continuation
                return (false, nil)
            }
            if isReady { continuation.resume(returning: item) }
        }
    }
}
