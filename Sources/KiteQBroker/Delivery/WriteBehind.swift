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
    let maxRows: Int
    let logger: Logger

    /// Runs until the lane is closed and empty.
    func run() async {
        while let batch = await dispatcher.lanes[shard].take(maxItems: maxRows, maxBytes: .max) {
            // The store wants one settlement of a message in a batch.
            for part in Self.parts(batch) { await write(part) }
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

    private func write(_ batch: [Settlement]) async {
        var failures = 0
        while true {
            do {
                let lost = try await store.settle(batch, shard: shard)
                if !lost.isEmpty {
                    logger.warning(
                        "\(lost.count) messages were settled that another broker has taken over; their groups may get them twice",
                        metadata: ["shard": "\(shard)"])
                }
                dispatcher.settled(batch.map(\.seq), shard: shard)
                return
            } catch {
                failures += 1
                if failures == 1 || failures % 20 == 0 {
                    logger.error(
                        "cannot write the state of \(batch.count) messages, trying again: \(error)",
                        metadata: ["shard": "\(shard)"])
                }
                if Task.isCancelled { return }
                do {
                    try await Task.sleep(for: .milliseconds(min(1_000, 50 << min(failures, 5))))
                } catch {
                    return  // Stopped while the store is away: the messages will be delivered again.
                }
            }
        }
    }
}
