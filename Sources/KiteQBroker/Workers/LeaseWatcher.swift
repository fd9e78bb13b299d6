import KiteQCore
import Logging

/// Looks at the leases of one shard, and ends the lives of brokers that let theirs run out.
///
/// It does so with the connections that the broker works with: where they lead to another server than that of its own lease,
/// which does not know this broker (any more), this one is told here.
struct LeaseWatcher: Sendable {
    let shard: Int
    let store: any LeaseStore
    let leases: Leases
    let fence: Fence
    let health: WriteHealth
    let interval: Duration
    let counters: RecoveryCounters
    let clock: any ProcessClock
    let logger: Logger

    /// Runs until its task is cancelled, or this broker is found dead.
    func run() async {
        var failures = FailureStreak("look at the leases of shard \(shard)", logger)
        while !Task.isCancelled {
            if leases.isHeld(shard) {
                do {
                    for broker in try await store.watchLeases(shard: shard) {
                        counters.takeovers.add(1)
                        logger.warning(
                            "broker \(broker) did not renew its lease: its messages are taken over",
                            metadata: ["shard": "\(shard)"])
                    }
                    failures.end()
                } catch let error as StoreError where error.code == .fenced {
                    return fence.raise(error)
                } catch {
                    // It uses the connections that messages are stored with.
                    health.failed(shard, error)
                    failures.add(error)
                }
            }
            await clock.pauseUntilNextRound(of: interval)
        }
    }
}
