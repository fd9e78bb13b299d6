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
    private let clock: any ProcessClock

    init(limit: Int, clock: any ProcessClock) {
        self.clock = clock
        state = Mutex(State(finished: RecentIDs(limit: limit), dead: RecentIDs(limit: limit)))
    }

    /// - Parameter dead: of those that are finished, the ones that some group's dead letters have.
    func insert(_ finished: [Message], dead: some Sequence<Message>) {
        let now = clock.monotonic()
        let (finished, dead) = (finished.map(Self.key), dead.map(Self.key))
        state.withLock { state in
            for key in finished { state.finished.insert(key, now: now) }
            for key in dead { state.dead.insert(key, now: now) }
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
        return MessageID(high: id.high ^ hash, low: id.low ^ BodySample.of(body))
    }
}
