import KiteQCore
import Synchronization

/// The ids of messages finished a short while ago: a repeated publish of one is acknowledged once more, and not stored.
final class RecentMessages: Sendable {
    private let ids: Mutex<RecentIDs>

    init(limit: Int) {
        ids = Mutex(RecentIDs(limit: limit))
    }

    func insert(_ finished: [MessageID]) {
        let now = SystemTime.monotonic()
        ids.withLock { ids in
            for id in finished { ids.insert(id, now: now) }
        }
    }

    func contains(_ id: MessageID, now: MonotonicTime) -> Bool {
        ids.withLock { $0.contains(id, now: now) }
    }
}
