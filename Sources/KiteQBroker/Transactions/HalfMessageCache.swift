import DequeModule
import KiteQCore
import Synchronization

/// Half messages as they were published, so that a commit need not read them back, and who published them, so that this one
/// is asked first. Bounded in bytes, oldest out first; what is not here is read from the store.
final class HalfMessageCache: Sendable {
    private struct Entry {
        var message: Message
        var publisher: Connection
        var number: UInt64
    }

    private struct State {
        var entries: [MessageID: Entry] = [:]
        var order = Deque<(id: MessageID, number: UInt64)>()
        var bytes = 0
        var next: UInt64 = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    func insert(_ message: Message, publishedBy publisher: Connection) {
        state.withLock { state in
            if let old = state.entries.removeValue(forKey: message.id) { state.bytes -= old.message.footprint }
            state.entries[message.id] = Entry(message: message, publisher: publisher, number: state.next)
            state.order.append((message.id, state.next))
            state.next += 1
            state.bytes += message.footprint
            while state.bytes > limit, let oldest = state.order.popFirst() {
                guard let entry = state.entries[oldest.id], entry.number == oldest.number else { continue }
                state.entries[oldest.id] = nil
                state.bytes -= entry.message.footprint
            }
            if state.order.count > state.entries.count * 2 + 64 {
                let live = state.entries
                state.order.removeAll { live[$0.id]?.number != $0.number }
            }
        }
    }

    func message(_ id: MessageID) -> Message? {
        state.withLock { $0.entries[id]?.message }
    }

    func publisher(of id: MessageID) -> Connection? {
        state.withLock { $0.entries[id]?.publisher }
    }

    var depth: (items: Int, bytes: Int) { state.withLock { ($0.entries.count, $0.bytes) } }

    /// It was decided.
    func remove(_ id: MessageID) {
        state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: id) else { return }
            state.bytes -= entry.message.footprint
        }
    }
}
