import KiteQCore
import NIOConcurrencyHelpers
import NIOCore

/// A store of one group's messages, of which loads fail where the test wants that.
final class ScriptedRecoveryStore: RecoveryStore {
    private struct State {
        var waiting: [Int64] = []
        var due: [Int64] = []
        var chunks: [[Int64]] = []
        /// Loads that go well before the next one fails; nil: none does.
        var loadsUntilFailure: Int?
        var failures = 0
        var bodyBytes = 1
    }

    private let state = NIOLockedValueBox(State())

    func has(waiting: some Sequence<Int64> = [], due: some Sequence<Int64> = []) {
        state.withLockedValue { ($0.waiting, $0.due) = (Array(waiting), Array(due)) }
    }
    func failing(after loads: Int?) { state.withLockedValue { $0.loadsUntilFailure = loads } }
    func bodies(of bytes: Int) { state.withLockedValue { $0.bodyBytes = bytes } }
    var failures: Int { state.withLockedValue { $0.failures } }

    static func seq(of message: Message) -> Int64 {
        message.withBytes { _, body, _ in Int64(bigEndian: body.loadUnaligned(as: Int64.self)) }
    }

    /// Of the message with this seq.
    static func body(_ seq: Int64, bytes: Int) -> ByteBuffer {
        var body = ByteBuffer(integer: seq)
        body.writeRepeatingByte(0, count: bytes)
        return body
    }

    /// The seqs of each load since the last look.
    func takeChunks() -> [[Int64]] {
        state.withLockedValue { state in
            defer { state.chunks = [] }
            return state.chunks
        }
    }

    func freshBacklog(
        of group: String, shard: Int, after: Int64, limit: Int, includingDead: Bool
    ) async throws -> [FreshMessage] { [] }

    func deliveries(of group: String, shard: Int, in range: DeliveryRange, limit: Int) async throws -> [Int64] {
        state.withLockedValue { state in
            switch range {
            case .waiting(let after): Array(state.waiting.filter { $0 > after }.prefix(limit))
            case .due: Array(state.due.prefix(limit))
            }
        }
    }

    func load(
        _ seqs: [Int64], for group: String, shard: Int, maxBytes: Int
    ) async throws -> (messages: [StoredMessage], count: Int) {
        try state.withLockedValue { state in
            state.chunks.append(seqs)
            if let left = state.loadsUntilFailure {
                guard left > 0 else {
                    state.failures += 1
                    throw StoreError(.unavailable, "the load fails")
                }
                state.loadsUntilFailure = left - 1
            }
            var messages: [StoredMessage] = []
            var bytes = 0
            for seq in seqs {
                let message = Message(
                    id: .random(), kind: .string, topic: "trade", messageType: "paid", publisherGroup: "p-pay",
                    expiresAt: .max, deliverLimit: 100, publishedAt: 0, header: ByteBuffer(string: "h"),
                    body: Self.body(seq, bytes: state.bodyBytes))
                bytes += message.footprint
                if bytes > maxBytes, !messages.isEmpty { break }
                messages.append(
                    StoredMessage(
                        seq: seq, message: message, state: .tracked, route: Route([]),
                        deliveries: [.init(group: group, attempts: 0, dueAt: 0)]))
            }
            state.waiting.removeAll { seq in messages.contains { $0.seq == seq } }
            state.due.removeAll { seq in messages.contains { $0.seq == seq } }
            return (messages, messages.count)
        }
    }

    func heldDeliveries(shard: Int, after: Int64, limit: Int) async throws -> [HeldDelivery] { [] }

    func ownFresh(
        of groups: Set<BindingName>, shard: Int, after place: FreshPlace?, limit: Int
    ) async throws -> (messages: [FreshMessage], next: FreshPlace?) { ([], nil) }
}
