import KiteQCore
import Synchronization

/// This broker's lease of each shard, as everybody in it asks.
final class Leases: Sendable {
    private struct State {
        var leases: [Lease]
        /// Why each could not be had or renewed at the last try.
        var failures: [Int: String]
    }

    private let state: Mutex<State>
    private let clock: any ProcessClock

    /// - Parameter missing: shards that were not joined yet, and why.
    init(shards: Int, duration: Duration, missing: [Int: StoreError] = [:], clock: any ProcessClock) {
        self.clock = clock
        state = Mutex(
            State(
                leases: Array(repeating: Lease(duration: duration.nanoseconds), count: shards),
                failures: missing.mapValues { "\($0)" }))
    }

    /// Whether new work may be started in a shard.
    func isHeld(_ shard: Int) -> Bool { state.withLock { $0.leases[shard].isHeld(now: clock.monotonic()) } }

    /// Why nothing of a shard can be done now, in a sentence with its name; nil where its lease is held, or was not tried for.
    func whyAway(_ shard: Int) -> String? {
        let now = clock.monotonic()
        return state.withLock { state in
            guard !state.leases[shard].isHeld(now: now), let failure = state.failures[shard] else { return nil }
            return failure.hasPrefix("shard \(shard)") ? failure : "shard \(shard): \(failure)"
        }
    }

    /// Why the lease of a shard could not be had or renewed at the last try; nil where it could.
    func failure(_ shard: Int) -> String? { state.withLock { $0.failures[shard] } }

    func failed(_ shard: Int, _ error: any Error) {
        guard !(error is CancellationError) else { return }
        let text = "\(error)"
        state.withLock { $0.failures[shard] = text }
    }

    /// Returns until when it holds.
    func renewed(_ shard: Int, sentAt: MonotonicTime) -> MonotonicTime {
        state.withLock { state in
            state.failures[shard] = nil
            state.leases[shard].renewed(sentAt: sentAt)
            return state.leases[shard].until
        }
    }

    /// How long it still holds; nil where it does not.
    func remaining(_ shard: Int) -> MonotonicTime? {
        let now = clock.monotonic()
        return state.withLock { $0.leases[shard].isHeld(now: now) ? $0.leases[shard].until - now : nil }
    }

    func end(_ shard: Int) { state.withLock { $0.leases[shard].end() } }
}
