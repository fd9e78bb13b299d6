import KiteQCore
import NIOCore
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

    func contains(
        _ id: MessageID, topic: String, messageType: String, publisherGroup: String, body: ByteBuffer,
        now: MonotonicTime
    ) -> Bool {
        let key = body.withUnsafeReadableBytes {
            Self.key(id, topic: topic, messageType: messageType, publisherGroup: publisherGroup, body: $0)
        }
        return state.withLock { $0.finished.contains(key, now: now) && !$0.dead.contains(key, now: now) }
    }

    private static func key(_ message: Message) -> MessageID {
        message.withBytes { _, body, _ in
            key(
                message.id, topic: message.topic, messageType: message.messageType,
                publisherGroup: message.publisherGroup, body: body)
        }
    }

    /// An id is one message: under another topic or type, or of another group, it is another one, which was not delivered. So it is
    /// where the body is another.
    private static func key(
        _ id: MessageID, topic: String, messageType: String, publisherGroup: String, body: UnsafeRawBufferPointer
    ) -> MessageID {
        var hash = SubjectHash.of(topic: topic, messageType: messageType)
        SubjectHash.mix(publisherGroup, into: &hash)
        return MessageID(high: id.high ^ hash, low: id.low ^ sample(of: body))
    }

    /// The length, and both ends: this is done for each message, twice, and a body may have 2 MiB.
    private static func sample(of body: UnsafeRawBufferPointer) -> UInt64 {
        var hash = SubjectHash.start ^ UInt64(body.count)
        func mix(_ part: Slice<UnsafeRawBufferPointer>) {
            let part = UnsafeRawBufferPointer(rebasing: part)
            var offset = 0
            while offset &+ 8 <= part.count {
                let word = part.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                // The high bits of a product are those that all of the word has gone into.
                hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
                hash ^= hash >> 32
                offset &+= 8
            }
            while offset < part.count {
                SubjectHash.mix(part[offset], into: &hash)
                offset &+= 1
            }
        }
        guard body.count > 2 * Self.end else {
            mix(body[...])
            return hash
        }
        mix(body.prefix(Self.end))
        mix(body.suffix(Self.end))
        return hash
    }

    /// Bytes at each end of a long body.
    private static let end = 512
}
