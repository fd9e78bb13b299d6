import KiteQCore
import Synchronization

/// All batches that the writers of one shard have in their hands; see ``PublishHand``.
final class PublishHands: Sendable {
    private struct State {
        var hands: [Int: PublishHand] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// A writer takes a batch; the number is for what it does with it.
    func take(_ batch: [PendingPublish]) -> Int {
        state.withLock { state in
            state.next += 1
            state.hands[state.next] = PublishHand(batch)
            return state.next
        }
    }

    func release(_ number: Int) { state.withLock { $0.hands[number] = nil } }

    func startTry(_ number: Int) -> [PendingPublish] { state.withLock { $0.hands[number]?.startTry() ?? [] } }

    func endTry(_ number: Int) -> Set<Int64> { state.withLock { $0.hands[number]?.endTry() ?? [] } }

    func keep(_ number: Int, _ again: [PendingPublish]) { state.withLock { $0.hands[number]?.keep(again) } }

    func takeLate(from number: Int, _ isLate: (PendingPublish) -> Bool) -> [PublishHand.Late] {
        state.withLock { $0.hands[number]?.takeLate(isLate) ?? [] }
    }

    /// Of all hands.
    func takeLate(_ isLate: (PendingPublish) -> Bool) -> [PublishHand.Late] {
        state.withLock { state in
            var late: [PublishHand.Late] = []
            for number in state.hands.keys { late += state.hands[number]?.takeLate(isLate) ?? [] }
            return late
        }
    }
}
