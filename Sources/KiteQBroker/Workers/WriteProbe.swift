import KiteQCore
import Logging

/// Finds out whether messages can be stored in a shard while nobody publishes any: after a failure at each round, so that a
/// broker which is sent nothing because it is not ready becomes ready again, and now and then where it is idle.
struct WriteProbe: Sendable {
    let shard: Int
    let store: any PublishStore
    let leases: Leases
    let health: WriteHealth
    let interval: Duration
    let clock: any ProcessClock
    let logger: Logger

    /// Since the last message was stored.
    private static let idle = Duration.seconds(10)

    /// Runs until its task is cancelled.
    func run() async {
        var failures = FailureStreak("store anything in shard \(shard)", logger)
        while !Task.isCancelled {
            if leases.isHeld(shard), health.isInDoubt(shard, after: Self.idle) {
                do {
                    try await store.probe(shard: shard)
                    health.proved(shard)
                    failures.end()
                } catch {
                    health.failed(shard, error)
                    failures.add(error)
                }
            }
            await clock.pauseUntilNextRound(of: interval)
        }
    }
}
