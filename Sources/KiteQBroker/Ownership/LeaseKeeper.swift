import KiteQCore
import Logging

/// Keeps this broker's lease of one shard, and ends those of brokers that let theirs run out.
struct LeaseKeeper: Sendable {
    let shard: Int
    let store: any MessageStore
    let dispatcher: Dispatcher
    let leases: Leases
    let fence: Fence
    let logger: Logger

    /// Runs until its task is cancelled, or this broker is found dead.
    func run() async {
        var failures = FailureStreak("keep the lease of shard \(shard)", logger)
        // Thrice in a lease; after a failure more often, for it may be the last chance.
        let interval = store.lease / 3
        while !Task.isCancelled {
            do {
                try await renew()
                failures.end()
                await judge()
                await pause(interval)
            } catch let error as StoreError where error.code == .fenced {
                leases.end(shard)
                dispatcher.setLease(shard: shard, until: 0)
                return fence.raise(error)
            } catch {
                failures.add(error)
                await pause(interval / 4)
            }
        }
    }

    /// A first try, before anything needs the lease.
    func begin() async {
        do { try await renew() } catch {
            logger.debug("no lease of shard \(shard) yet: \(error)")
        }
    }

    private func renew() async throws {
        let sentAt = SystemTime.monotonic()
        let server = try await store.renewLease(shard: shard)
        dispatcher.setLease(shard: shard, until: leases.renewed(shard, sentAt: sentAt, server: server))
    }

    private func judge() async {
        guard leases.mayJudge(shard) else { return }
        do {
            for broker in try await store.declareDead(shard: shard) {
                logger.warning(
                    "broker \(broker) did not renew its lease: its messages are taken over",
                    metadata: ["shard": "\(shard)"])
            }
        } catch {
            logger.warning("cannot look for dead brokers: \(error)", metadata: ["shard": "\(shard)"])
        }
    }
}

/// Waits so long, or until the task is cancelled.
func pause(_ duration: Duration) async {
    do { try await Task.sleep(for: duration) } catch {
        // Cancelled: the caller looks.
    }
}
