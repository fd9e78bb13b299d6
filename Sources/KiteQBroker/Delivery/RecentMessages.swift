import KiteQCore
import Synchronization

/// The messages finished a short while ago: a repeated publish of one is acknowledged once more, and not stored.
///
/// One that is dead for a group is not among them, though the others have finished it: that it was delivered would not be true.
final class RecentMessages: Sendable {
    private struct State {
        var finished: RecentIDs
        var dead: RecentIDs
    }

    private let state: Mutex<State>

    init(limit: Int) {
        state = Mutex(State(finished: RecentIDs(limit: limit), dead: RecentIDs(limit: limit)))
    }

    /// - Parameter dead: of those that are finished, the ones that some group's dead letters have.
    func insert(_ finished: [Message], dead: some Sequence<Message>) {
        let now = SystemTime.monotonic()
        state.withLock { state in
            for message in finished { state.finished.insert(Self.key(message), now: now) }
            for message in dead { state.dead.insert(Self.key(message), now: now) }
        }
    }

    func contains(_ id: MessageID, topic: String, messageType: String, now: MonotonicTime) -> Bool {
        let key = Self.key(id, topic: topic, messageType: messageType)
        return state.withLock { $0.finished.contains(key, now: now) && !$0.dead.contains(key, now: now) }
    }

    private static func key(_ message: Message) -> MessageID {
        key(message.id, topic: message.topic, messageType: message.messageType)
    }

    /// An id is one message: under another topic or type it is another one, which was not delivered. FNV-1a of both names.
    private static func key(_ id: MessageID, topic: String, messageType: String) -> MessageID {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for byte in topic.utf8 { mix(byte) }
        // No UTF-8 has this byte.
        mix(0xFF)
        for byte in messageType.utf8 { mix(byte) }
        return MessageID(high: id.high ^ hash, low: id.low)
    }
}
