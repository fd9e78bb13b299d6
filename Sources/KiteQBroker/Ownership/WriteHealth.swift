import KiteQCore
import Synchronization

/// What the last attempts to store a message in each shard came to.
final class WriteHealth: Sendable {
    private struct Shard {
        var failure: String?
        var provedAt: MonotonicTime?
    }

    private let shards: Mutex<[Shard]>

    private let clock: any ProcessClock

    init(shards: Int, clock: any ProcessClock) {
        self.shards = Mutex(Array(repeating: Shard(), count: shards))
        self.clock = clock
    }

    /// Something was stored, or could have been.
    func proved(_ shard: Int) {
        let now = clock.monotonic()
        shards.withLock { $0[shard] = Shard(provedAt: now) }
    }

    func failed(_ shard: Int, _ error: any Error) {
        guard !(error is CancellationError) else { return }
        let text = "\(error)"
        shards.withLock { $0[shard].failure = text }
    }

    /// Why nothing can be stored, as far as is known.
    func failure(_ shard: Int) -> String? { shards.withLock { $0[shard].failure } }

    /// Whether it has to be tried: the last attempt failed, or none was made for a while.
    func isInDoubt(_ shard: Int, after age: Duration) -> Bool {
        let now = clock.monotonic()
        return shards.withLock { shards in
            shards[shard].failure != nil || shards[shard].provedAt.map { now - $0 >= age.nanoseconds } ?? true
        }
    }
}
