import DequeModule
import KiteQCore
import Synchronization

/// Half messages as they were published, so that a commit need not read them back, and who published them, so that this one
/// is asked first. Bounded in bytes, oldest out first; what is not here is read from the store.
final class HalfMessageCache: Sendable {
    private struct Entry {
        var seq: Int64
        var message: Message
        var publisher: any QuestionedClient
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

    /// - Parameter seq: of its row: an id may be another message's later, which other brokers took.
    func insert(_ message: Message, seq: Int64, publishedBy publisher: any QuestionedClient) {
        state.withLock { state in
            if let old = state.entries.removeValue(forKey: message.id) { state.bytes -= old.message.footprint }
            state.entries[message.id] = Entry(
                seq: seq, message: message, publisher: publisher, number: state.next)
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

    func message(_ id: MessageID) -> (seq: Int64, message: Message)? {
        state.withLock { $0.entries[id].map { ($0.seq, $0.message) } }
    }

    /// Who published the message with this seq.
    func publisher(of id: MessageID, seq: Int64) -> (any QuestionedClient)? {
        state.withLock { $0.entries[id].flatMap { $0.seq == seq ? $0.publisher : nil } }
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
