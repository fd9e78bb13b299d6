import KiteQCore
import Synchronization

/// This broker's lease of each shard, as everybody in it asks.
final class Leases: Sendable {
    private let leases: Mutex<[Lease]>

    init(shards: Int, duration: Duration) {
        leases = Mutex(Array(repeating: Lease(duration: duration.nanoseconds), count: shards))
    }

    /// Whether new work may be started in a shard.
    func isHeld(_ shard: Int) -> Bool { leases.withLock { $0[shard].isHeld(now: SystemTime.monotonic()) } }

    /// Returns until when it holds.
    func renewed(_ shard: Int, sentAt: MonotonicTime) -> MonotonicTime {
        leases.withLock { leases in
            leases[shard].renewed(sentAt: sentAt)
            return leases[shard].until
        }
    }

    /// How long it still holds; nil where it does not.
    func remaining(_ shard: Int) -> MonotonicTime? {
        let now = SystemTime.monotonic()
        return leases.withLock { $0[shard].isHeld(now: now) ? $0[shard].until - now : nil }
    }

    func end(_ shard: Int) { leases.withLock { $0[shard].end() } }
}
