import KiteQCore
import Logging
import Synchronization

/// Writes settlements of one shard behind the deliveries, in batches, in their order.
///
/// A crash before a batch is written costs a redelivery of its messages, never a message. While the store does not answer
/// the batch is kept and tried again; the delivery machine stops deliveries when too much waits here. A settlement that the
/// store does not take alone, while it takes others, is put aside and tried again beside them.
struct WriteBehind: Sendable {
    let shard: Int
    let store: any SettlementStore
    let dispatcher: Dispatcher
    /// Whether a failed write is to be tried again: not for ever once the broker stops.
    let mayRetry: @Sendable () -> Bool
    let clock: any ProcessClock
    let logger: Logger
    private let aside = Aside()

    private final class Aside: Sendable {
        let settlements = Mutex(SettlementsAside())
        let changed = Wakeup()
        let isClosed = Latch()
    }

    /// Removals that are few wait so long for others: nobody waits for them. What a crash brings again grows by what was done in
    /// that time (docs/decisions/0054-removals-held-back.md).
    static let holdTime = Duration.milliseconds(25)
    /// So many share a transaction well enough to go at once.
    static let heldItems = 100

    /// Settlements that were put aside and are tried together.
    private static let asideAtOnce = 100

    init(
        shard: Int, store: any SettlementStore, dispatcher: Dispatcher, mayRetry: @escaping @Sendable () -> Bool,
        clock: any ProcessClock, logger: Logger
    ) {
        self.shard = shard
        self.store = store
        self.dispatcher = dispatcher
        self.mayRetry = mayRetry
        self.clock = clock
        self.logger = logger
    }

    /// Runs until the lane is closed and empty.
    func run() async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await retryAside() }
            var failures = FailureStreak("write what became of messages in shard \(shard)", logger)
            await dispatcher.lanes[shard].work { batch in
                // The store wants one settlement of a message in a batch.
                for part in Self.parts(batch) { await write(part, &failures) }
            }
            aside.isClosed.set()
            aside.changed.signal()
        }
    }

    /// The first settlement of each message, then the second of those that have one, and so on: as few parts as there can be where each
    /// message's keep their order. Where a batch is split at each message that comes again, a hundred become many small transactions.
    static func parts(_ batch: [Settlement]) -> [[Settlement]] {
        var parts: [[Settlement]] = []
        var turns: [Int64: Int] = [:]
        for settlement in batch {
            let turn = turns[settlement.seq, default: 0]
            turns[settlement.seq] = turn + 1
            if turn == parts.count { parts.append([]) }
            parts[turn].append(settlement)
        }
        return parts
    }

    private func write(_ batch: [Settlement], _ failures: inout FailureStreak) async {
        var batch = aside.settlements.withLock { aside in batch.filter { !aside.queue($0) } }
        var wait = Duration.milliseconds(50)
        while !batch.isEmpty {
            do {
                CrashPoint.reached(.settling)
                let lost = try await store.settle(batch, shard: shard)
                CrashPoint.reached(.settled)
                failures.end()
                return finish(batch.map(\.seq), lost: lost)
            } catch {
                let outcome = Outcome(of: batch, error)
                finish(outcome.done, lost: outcome.lost)
                putAside(outcome.stuck, outcome.cause)
                batch = outcome.rest
                guard !batch.isEmpty else { return }
                failures.add(outcome.cause)
                guard mayRetry() else {
                    return logger.warning(
                        "stopped with the state of \(batch.count) messages not written: they will be delivered again",
                        metadata: ["shard": "\(shard)"])
                }
                await clock.pause(wait)
                wait = min(wait * 2, .seconds(1))
            }
        }
    }

    /// What a batch that failed has come to.
    private struct Outcome {
        var done: [Int64] = []
        var lost: [Int64] = []
        /// To be tried again apart from the others,
        var stuck: [Settlement] = []
        /// or with them.
        var rest: [Settlement]
        var cause: any Error

        init(of batch: [Settlement], _ error: any Error) {
            (rest, cause) = (batch, error)
            guard let partly = error as? PartlySettled else { return }
            (done, lost, cause) = (partly.done, partly.lost, partly.cause)
            let begun = Dictionary(partly.begun.map { ($0.seq, $0) }, uniquingKeysWith: { _, last in last })
            let (isDone, isStuck) = (Set(done), Set(partly.stuck))
            let left = batch.filter { !isDone.contains($0.seq) }.map { begun[$0.seq] ?? $0 }
            stuck = left.filter { isStuck.contains($0.seq) }
            rest = left.filter { !isStuck.contains($0.seq) }
        }
    }

    private func finish(_ seqs: [Int64], lost: [Int64]) {
        guard !seqs.isEmpty else { return }
        if !lost.isEmpty {
            logger.warning(
                "\(lost.count) messages were settled that are not this broker's any more; their groups may get them twice",
                metadata: ["shard": "\(shard)"])
        }
        dispatcher.settled(seqs, shard: shard)
    }

    // MARK: Aside

    private func putAside(_ settlements: [Settlement], _ cause: any Error) {
        guard !settlements.isEmpty else { return }
        let seqs = settlements.prefix(10).map { "\($0.seq)" }.joined(separator: ", ")
        logger.error(
            "the store does not take what became of \(settlements.count) messages, they are tried again later: \(cause)",
            metadata: ["shard": "\(shard)", "seq": "\(seqs)"])
        aside.settlements.withLock { aside in
            for settlement in settlements { aside.put(settlement, now: clock.monotonic()) }
        }
        dispatcher.putAside(settlements.map(\.seq), shard: shard)
        aside.changed.signal()
    }

    /// Runs until the lane is empty and nothing is left here, or nothing is to be tried any more.
    private func retryAside() async {
        var failures = FailureStreak("write what became of messages that were put aside in shard \(shard)", logger)
        for await _ in aside.changed.signals {
            while let due = aside.settlements.withLock({ $0.nextDue }) {
                // When the broker stops, each is tried once more; what is not written comes again.
                if !aside.isClosed.isSet {
                    // What is put aside meanwhile can be due before that.
                    let wait = min(due - clock.monotonic(), SettlementsAside.firstWait)
                    await aside.isClosed.wait(upTo: .nanoseconds(wait), clock)
                    guard !Task.isCancelled else { return }
                }
                let time = aside.isClosed.isSet ? MonotonicTime.max : clock.monotonic()
                let batch = aside.settlements.withLock { $0.take(limit: Self.asideAtOnce, now: time) }
                await retry(batch, &failures)
                guard mayRetry() else { return warnOfLeft() }
                if aside.isClosed.isSet { await clock.pause(.milliseconds(50)) }
            }
            if aside.isClosed.isSet { return }
        }
    }

    private func retry(_ batch: [Settlement], _ failures: inout FailureStreak) async {
        guard !batch.isEmpty else { return }
        var (done, lost): ([Int64], [Int64]) = (batch.map(\.seq), [])
        var (stuck, rest): ([Settlement], [Settlement]) = ([], [])
        do {
            lost = try await store.settle(batch, shard: shard)
            failures.end()
        } catch {
            let outcome = Outcome(of: batch, error)
            (done, lost, stuck, rest) = (outcome.done, outcome.lost, outcome.stuck, outcome.rest)
            failures.add(outcome.cause)
        }
        let now = clock.monotonic()
        aside.settlements.withLock { aside in
            for seq in done { aside.passed(seq, now: now) }
            for settlement in stuck { aside.failed(settlement.seq, rest: settlement, now: now) }
            for settlement in rest { aside.gaveBack(settlement, now: now) }
        }
        finish(done, lost: lost)
    }

    private func warnOfLeft() {
        let left = aside.settlements.withLock { $0.count }
        guard left > 0 else { return }
        logger.warning(
            "stopped with the state of \(left) messages not written that the store did not take: they will be delivered again",
            metadata: ["shard": "\(shard)"])
    }
}
