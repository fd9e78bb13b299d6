import KiteQCore
import Logging

/// Keeps this broker's lease of one shard; joins it first where it was away when the broker started.
struct LeaseKeeper: Sendable {
    let shard: Int
    let store: any LeaseStore
    let dispatcher: Dispatcher
    let leases: Leases
    let clocks: ServerClocks
    let fence: Fence
    let publishing: PublishPipeline
    let clock: any ProcessClock
    let logger: Logger

    /// Runs until its task is cancelled, or this broker is found dead.
    func run() async {
        var failures = FailureStreak("keep the lease of shard \(shard)", logger, saysRefusals: true)
        // Thrice in a lease; after a failure more often, for it may be the last chance.
        let interval = store.lease / 3
        while !Task.isCancelled {
            do {
                try await renew()
                failures.end()
                await clock.pause(interval)
            } catch let error as StoreError where error.code == .fenced {
                leases.end(shard)
                dispatcher.setLease(shard: shard, until: 0)
                return fence.raise(error)
            } catch {
                leases.failed(shard, error)
                failures.add(error)
                await clock.pause(interval / 4)
            }
        }
    }

    /// A first try, before anything needs the lease. One that is known to be away is not waited for.
    /// - Throws: `StoreError` with `fenced` where this broker was declared dead before it served.
    func begin() async throws {
        guard leases.failure(shard) == nil else { return }
        do { try await renew() } catch let error as StoreError where error.code == .fenced {
            throw error
        } catch {
            leases.failed(shard, error)
            logger.debug("no lease of shard \(shard) yet: \(error)")
        }
    }

    private func renew() async throws {
        if let floor = try await store.joinIfMissing(shard: shard) {
            // Before anything is stored there: its seqs must be above those that it has.
            publishing.raiseSeqs(above: floor)
            logger.notice("joined shard \(shard), which was away")
        }
        let sentAt = clock.monotonic()
        let serverClock = try await store.renewLease(shard: shard)
        // The time first: nothing is worked on before it is known.
        clocks.set(serverClock, shard: shard)
        dispatcher.setClock(serverClock, shard: shard)
        dispatcher.setLease(shard: shard, until: leases.renewed(shard, sentAt: sentAt))
    }
}
