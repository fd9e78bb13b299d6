import KiteQCore
import Logging

/// Tells one shard where this broker's groups are, and the dispatcher what the shard says: who is elsewhere, what is due, what
/// dead brokers left.
struct Surveyor: Sendable {
    let shard: Int
    let store: any SurveyStore
    let dispatcher: Dispatcher
    /// Of the first shard alone: it has the pauses.
    let pausedGroups: PausedGroups?
    let leases: Leases
    let clocks: ServerClocks
    /// The longest wait for another attempt, milliseconds.
    let longestWait: Timestamp
    let interval: Duration
    let counters: RecoveryCounters
    let clock: any ProcessClock
    let logger: Logger

    private static let pageRows = 500

    /// Runs until its task is cancelled.
    func run() async {
        // Each for itself: a row that somebody has locked, or a connection that does not end, must not hide what is due.
        var memory = FailureStreak("compare what is remembered of shard \(shard) with what it has", logger)
        var presence = FailureStreak("write which groups are here to shard \(shard)", logger)
        var release = FailureStreak("set free what dead brokers held in shard \(shard)", logger)
        var uncertain = FailureStreak("find out how lost commits ended in shard \(shard)", logger)
        var paused = FailureStreak("ask which groups are paused", logger)
        var survey = FailureStreak("look for what waits in shard \(shard)", logger)
        while !Task.isCancelled {
            if leases.isHeld(shard) {
                if let pausedGroups { await attempt(&paused) { try await pausedGroups.refresh() } }
                // First: what was lost is then written with the rest.
                await attempt(&memory) { try await checkMemory() }
                // Before it asks what waits for them, or a group that has just come would be passed over.
                await attempt(&presence) { try await store.setPresence(dispatcher.presentGroups, shard: shard) }
                await attempt(&release) { try await self.release() }
                await attempt(&uncertain) {
                    guard let seq = try await store.resolveUncertain(shard: shard) else { return }
                    dispatcher.reread(shard: shard, from: seq)
                }
                await attempt(&survey) {
                    guard let now = clocks.now(shard) else { return }
                    let latest = now + longestWait + ServerClock.tolerance
                    dispatcher.apply(try await store.survey(shard: shard, now: now, latest: latest), shard: shard)
                }
            }
            await clock.pauseUntilNextRound(of: interval)
        }
    }

    private func attempt(_ failures: inout FailureStreak, _ step: () async throws -> Void) async {
        do {
            try await step()
            failures.end()
        } catch {
            failures.add(error)
        }
    }

    private func checkMemory() async throws {
        let check = try await store.checkMemory(shard: shard) { [routing = dispatcher.routing] in routing.bindings }
        if check.mustReread { dispatcher.reread(shard: shard, from: 1) }
        if check.hasMoved { dispatcher.lookForStrays(shard: shard) }
    }

    private func release() async throws {
        var released = Self.pageRows
        while released >= Self.pageRows, !Task.isCancelled {
            released = try await store.releaseDead(shard: shard, limit: Self.pageRows)
            counters.released.add(released)
        }
    }
}
