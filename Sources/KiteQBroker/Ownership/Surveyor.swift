import KiteQCore
import Logging

/// Tells one shard where this broker's groups are, ends the lives of brokers that let their lease run out, and tells the
/// dispatcher what the shard says: who is elsewhere, what is due, what dead brokers left.
struct Surveyor: Sendable {
    let shard: Int
    let store: any MessageStore
    let dispatcher: Dispatcher
    let leases: Leases
    let interval: Duration
    let logger: Logger

    private static let pageRows = 500

    /// Runs until its task is cancelled.
    func run() async {
        var failures = FailureStreak("look for what waits in shard \(shard)", logger)
        while !Task.isCancelled {
            if leases.isHeld(shard) {
                do {
                    try await look()
                    failures.end()
                } catch {
                    failures.add(error)
                }
            }
            await pause(interval)
        }
    }

    private func look() async throws {
        if leases.mayJudge(shard) {
            for broker in try await store.declareDead(shard: shard) {
                logger.warning(
                    "broker \(broker) did not renew its lease: its messages are taken over",
                    metadata: ["shard": "\(shard)"])
            }
        }
        // Before it asks what waits for them, or a group that has just come would be passed over.
        try await store.setPresence(dispatcher.presentGroups, shard: shard)
        while try await store.releaseDead(shard: shard, limit: Self.pageRows) >= Self.pageRows, !Task.isCancelled {}
        if let seq = try await store.resolveUncertain(shard: shard) { dispatcher.reread(shard: shard, from: seq) }
        dispatcher.apply(try await store.survey(shard: shard, now: SystemTime.wall()), shard: shard)
    }
}
