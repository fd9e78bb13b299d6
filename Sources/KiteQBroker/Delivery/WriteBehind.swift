import KiteQCore
import Logging

/// Writes settlements of one shard behind the deliveries, in batches, in their order.
///
/// A crash before a batch is written costs a redelivery of its messages, never a message. While the store does not answer
/// the batch is kept and tried again; the delivery machine stops deliveries when too much waits here.
struct WriteBehind: Sendable {
    let shard: Int
    let store: any MessageStore
    let dispatcher: Dispatcher
    /// Whether a failed write is to be tried again: not for ever once the broker stops.
    let mayRetry: @Sendable () -> Bool
    let logger: Logger

    /// Runs until the lane is closed and empty.
    func run() async {
        var failures = FailureStreak("write what became of messages in shard \(shard)", logger)
        await dispatcher.lanes[shard].work { batch in
            // The store wants one settlement of a message in a batch.
            for part in Self.parts(batch) { await write(part, &failures) }
        }
    }

    /// Splits a batch where a message comes again.
    static func parts(_ batch: [Settlement]) -> [[Settlement]] {
        var parts: [[Settlement]] = []
        var seen: Set<Int64> = []
        var start = batch.startIndex
        for (index, settlement) in batch.enumerated() where !seen.insert(settlement.seq).inserted {
            parts.append(Array(batch[start..<index]))
            start = index
            seen = [settlement.seq]
        }
        if start < batch.endIndex { parts.append(Array(batch[start...])) }
        return parts
    }

    private func write(_ batch: [Settlement], _ failures: inout FailureStreak) async {
        var batch = batch
        var wait = Duration.milliseconds(50)
        while true {
            do {
                CrashPoint.reached(.settling)
                let lost = try await store.settle(batch, shard: shard)
                CrashPoint.reached(.settled)
                failures.end()
                return finish(batch.map(\.seq), lost: lost)
            } catch {
                if let partly = error as? PartlySettled {
                    finish(partly.done, lost: partly.lost)
                    let done = Set(partly.done)
                    batch.removeAll { done.contains($0.seq) }
                }
                failures.add((error as? PartlySettled)?.cause ?? error)
                guard mayRetry() else {
                    return logger.warning(
                        "stopped with the state of \(batch.count) messages not written: they will be delivered again",
                        metadata: ["shard": "\(shard)"])
                }
                await pause(wait)
                wait = min(wait * 2, .seconds(1))
            }
        }
    }

    private func finish(_ seqs: [Int64], lost: [Int64]) {
        if !lost.isEmpty {
            logger.warning(
                "\(lost.count) messages were settled that are not this broker's any more; their groups may get them twice",
                metadata: ["shard": "\(shard)"])
        }
        dispatcher.settled(seqs, shard: shard)
    }
}
