import KiteQCore
import Logging

/// Brings back from one shard what its groups can take now: their backlog, oldest first, and what is due. One scan at a time,
/// each bounded in rows and bytes, so that the live traffic keeps its connections.
struct RecoveryWorker: Sendable {
    let shard: Int
    let store: any RecoveryStore
    let dispatcher: Dispatcher
    let clocks: ServerClocks
    /// The longest wait for another attempt, milliseconds.
    let longestWait: Timestamp
    let counters: RecoveryCounters
    let logger: Logger

    /// Messages loaded by one statement, at most.
    private static let chunkRows = 64

    /// Runs until its wake-up is finished or its task cancelled.
    func run() async {
        var failures = FailureStreak("read what waits in shard \(shard)", logger)
        for await _ in dispatcher.scansWanted[shard].signals {
            while !Task.isCancelled, let scan = dispatcher.nextScan(shard: shard) {
                do {
                    try await carryOut(scan)
                    counters.pages.add(1)
                    failures.end()
                } catch {
                    failures.add(error)
                    counters.failedPages.add(1)
                    dispatcher.scanFailed(scan)
                }
            }
        }
    }

    private func carryOut(_ scan: DeliveryScan) async throws {
        var result = try await read(scan)
        let asked = dispatcher.missing(scan, result)
        var loaded: [StoredMessage] = []
        var position = 0
        var bytes = 0
        while position < asked.count, position == 0 || bytes < scan.maxBytes {
            let chunk = Array(asked[position...].prefix(Self.chunkRows))
            do {
                let (messages, count) = try await store.load(
                    chunk, for: scan.group, shard: shard, maxBytes: scan.maxBytes - bytes)
                bytes += messages.reduce(0) { $0 + $1.message.footprint }
                loaded += messages
                position += count
                // The next one does not fit.
                if count < chunk.count { break }
            } catch {
                // It may have taken fresh messages of a dead broker all the same: every group of theirs has to learn of them.
                dispatcher.reread(shard: shard, from: chunk[0])
                // What was taken already has to reach the queues.
                guard !loaded.isEmpty else { throw error }
                break
            }
        }
        if position < asked.count, let cut = result.rows.firstIndex(where: { $0.seq == asked[position] }) {
            result.keep(first: cut)
        }
        if !loaded.isEmpty { CrashPoint.reached(.loaded) }
        dispatcher.apply(scan, result, loaded: loaded, asked: Set(asked.prefix(position)))
    }

    private func read(_ scan: DeliveryScan) async throws -> DeliveryScanResult {
        switch scan.kind {
        case .backlog(let after):
            // In this order: a message that turns from fresh to tracked between the two is then seen at least once.
            let fresh = try await store.freshBacklog(
                of: scan.group, shard: shard, after: after, limit: scan.limit, includingDead: true)
            let waiting = try await store.deliveries(
                of: scan.group, shard: shard, in: .waiting(after: after), limit: scan.limit)
            return .backlog(fresh: fresh, waiting: waiting, limit: scan.limit)
        case .handOver(let after):
            let fresh = try await store.freshBacklog(
                of: scan.group, shard: shard, after: after, limit: scan.limit, includingDead: false)
            return .backlog(fresh: fresh, waiting: [], limit: scan.limit)
        case .due(let upTo):
            guard let now = clocks.now(shard) else { return DeliveryScanResult(rows: [], isEnd: true) }
            var seqs: [Int64] = []
            if upTo > 0 {
                let waiting = try await store.deliveries(
                    of: scan.group, shard: shard, in: .waiting(after: 0), limit: scan.limit)
                seqs += waiting.prefix { $0 <= upTo }
            }
            let latest = now + longestWait + ServerClock.tolerance
            let due = try await store.deliveries(
                of: scan.group, shard: shard, in: .due(now: now, latest: latest), limit: scan.limit)
            let isEnd = seqs.count < scan.limit && due.count < scan.limit
            // Each in its turn: neither may keep the other from being read.
            seqs = Array(seqs.prefix(max(scan.limit / 2, scan.limit - due.count)))
            seqs += due.prefix(scan.limit - seqs.count)
            let rows = seqs.map { DeliveryScanResult.Row(seq: $0, kind: .tracked) }
            return DeliveryScanResult(rows: rows, isEnd: isEnd)
        case .orphans(let after):
            let held = try await store.heldDeliveries(shard: shard, after: after, limit: scan.limit)
            return .orphans(held: held, after: after, limit: scan.limit)
        case .strays(let groups, let after):
            let (messages, next) = try await store.ownFresh(
                of: groups, shard: shard, after: after, limit: scan.limit)
            return .strays(messages, next: next)
        }
    }
}
