import KiteQCore
import Logging

/// Ends in one shard what nobody comes for: expired messages of groups that are away, messages that nobody is owed
/// any more, half messages decided long ago, dead letters past their retention. A bounded page of each in a round.
struct Sweeper: Sendable {
    let shard: Int
    let store: any SweepStore
    let dispatcher: Dispatcher
    let leases: Leases
    let clocks: ServerClocks
    let configuration: BrokerConfiguration
    let counters: RecoveryCounters
    let clock: any ProcessClock
    let logger: Logger

    /// Entries of an index looked at in a round.
    private static let freshPage = 2_000
    private static let deliveryPage = 500
    private static let purgePage = 500
    /// Rounds between two purges.
    private static let purgeEvery = 10
    /// Intervals of recovery between the end of the shard and its start.
    private static let roundsOfRest = 5

    private struct Place {
        var fresh: SweepCursor?
        var delivery: Int64 = 0
        var tracked: Int64 = 0
        var round = 0
        var isAtStart: Bool { fresh == nil && delivery == 0 && tracked == 0 }
    }

    /// Runs until its task is cancelled.
    func run() async {
        var failures = FailureStreak("sweep shard \(shard)", logger)
        var place = Place()
        while !Task.isCancelled {
            // What it looks for is in no hurry: once through, it rests.
            let rounds = place.isAtStart ? Self.roundsOfRest : 1
            await clock.pauseUntilNextRound(of: configuration.recoveryInterval * rounds)
            guard leases.isHeld(shard), !Task.isCancelled else { continue }
            do {
                try await sweep(&place)
                failures.end()
            } catch {
                failures.add(error)
            }
        }
    }

    private func sweep(_ place: inout Place) async throws {
        guard let now = clocks.now(shard) else { return }
        let fresh = try await store.expiredFresh(shard: shard, after: place.fresh, now: now, limit: Self.freshPage)
        if !fresh.expired.isEmpty { dispatcher.expire(fresh.expired, shard: shard) }
        place.fresh = fresh.next
        let deliveries = try await store.buryExpiredDeliveries(
            shard: shard, after: place.delivery, now: now, limit: Self.deliveryPage)
        counters.buried.add(deliveries.buried.count)
        if !deliveries.buried.isEmpty { dispatcher.count(expired: deliveries.buried) }
        place.delivery = deliveries.next ?? 0
        let (removed, next) = try await store.removeUnowed(
            shard: shard, after: place.tracked, limit: Self.deliveryPage)
        counters.unowed.add(removed)
        place.tracked = next ?? 0
        place.round += 1
        if place.round % Self.purgeEvery == 1 { try await purge(now) }
    }

    private func purge(_ now: Timestamp) async throws {
        let decided = now - configuration.transactionRetention.milliseconds
        let dead = now - configuration.deadLetterRetention.milliseconds
        var purged = Self.purgePage
        while purged >= Self.purgePage, !Task.isCancelled {
            purged = try await store.purge(
                shard: shard, decidedBefore: decided, deadLettersBefore: dead, limit: Self.purgePage)
            counters.purged.add(purged)
        }
    }
}
