import KiteQCore
import Logging

/// Asks the store what only it knows of groups' limits: half messages that nobody has decided, and what waits for whom. It asks
/// for nothing where no such limit is set.
struct QuotaSurvey: Sendable {
    let store: any BacklogCounts
    let services: SessionServices
    let leases: Leases
    let interval: Duration
    let clock: any ProcessClock
    let logger: Logger

    /// Undecided half messages of one shard that are looked at; of what is beyond them a group may have more than its limit.
    private static let mostUndecided = 200_000

    /// Runs until its task is cancelled.
    func run() async {
        // A shard that does not answer has what it had.
        var undecided = [[String: Int]](repeating: [:], count: store.shardMap.shardCount)
        var waiting = undecided
        var undecidedFailures = FailureStreak(
            "count the undecided half messages of groups for max_half_messages", logger)
        var waitingFailures = FailureStreak("count what waits for groups for max_backlog", logger)
        while !Task.isCancelled {
            let access = services.settings.access
            if access.limitsAny(\.halfMessages) {
                services.accounts.beginLook()
                await ask(&undecidedFailures) { shard in
                    undecided[shard] = try await store.undecidedByGroup(shard: shard, upTo: Self.mostUndecided)
                }
                services.accounts.endLook(found: Self.sum(undecided))
            }
            let limits = backlogLimits(access)
            if !limits.isEmpty {
                await ask(&waitingFailures) { shard in
                    var counts: [String: Int] = [:]
                    for (group, limit) in limits {
                        counts[group.text] = try await store.waiting(for: group.text, shard: shard, upTo: limit)
                    }
                    waiting[shard] = counts
                }
            }
            let sums = Self.sum(waiting)
            services.backlogs.set(full: limits.filter { sums[$0.key] ?? 0 >= $0.value })
            await clock.pauseUntilNextRound(of: interval)
        }
    }

    private func ask(_ failures: inout FailureStreak, _ body: (Int) async throws -> Void) async {
        var failure: (any Error)?
        for shard in 0..<store.shardMap.shardCount where leases.isHeld(shard) {
            do { try await body(shard) } catch { failure = error }
        }
        if let failure { failures.add(failure) } else { failures.end() }
    }

    /// Of the groups that are bound.
    private func backlogLimits(_ access: AccessRules) -> [BindingName: Int] {
        guard access.limitsAny(\.backlog) else { return [:] }
        let groups = Set(services.routing.bindings.map { BindingName($0.group) })
        return Dictionary(uniqueKeysWithValues: groups.map { ($0, access.limits(of: $0.text).backlog) })
            .filter { $0.value > 0 }
    }

    private static func sum(_ shards: [[String: Int]]) -> [BindingName: Int] {
        var sums: [BindingName: Int] = [:]
        for (group, count) in shards.joined() { sums[BindingName(group), default: 0] += count }
        return sums
    }
}
