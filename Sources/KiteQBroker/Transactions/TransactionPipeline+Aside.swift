import KiteQCore
import Logging
import Synchronization

/// Answers that the store does not take alone, while it takes others: a row that somebody has locked, or one that is larger
/// than the server takes. They wait apart from the others of the shard, and what comes later to the same message waits behind
/// them. A stop gives them up: the producers are asked again.
extension TransactionPipeline {
    final class Aside: Sendable {
        let answers: Mutex<AnswersAside>
        let changed = Wakeup()
        let isClosed = Latch()

        init(capacity: Int) {
            answers = Mutex(AnswersAside(capacity: capacity))
        }

        func close() {
            isClosed.set()
            changed.signal()
        }
    }

    /// Answers that are tried together.
    private static let asideAtOnce = 100

    func putAside(_ answer: Answer, shard: Int, _ reason: String) {
        log.aside(answer, reason)
        let isKept = asides[shard].answers.withLock { $0.put(answer, now: clock.monotonic()) }
        if !isKept { counters.dropped.add(1) }
        asides[shard].changed.signal()
    }

    /// Those that need not wait for one aside; the others wait there now.
    func withoutAside(_ batch: some Collection<Answer>, shard: Int) -> [Answer] {
        let now = clock.monotonic()
        let (free, dropped) = asides[shard].answers.withLock { aside in
            var free: [Answer] = []
            var dropped = 0
            for answer in batch {
                if !aside.has(answer.decision.messageID) {
                    free.append(answer)
                } else if !aside.put(answer, now: now) {
                    dropped += 1
                }
            }
            return (free, dropped)
        }
        if dropped > 0 { counters.dropped.add(dropped) }
        return free
    }

    /// Runs until it is closed.
    func retryAside(shard: Int) async {
        let aside = asides[shard]
        var failures = FailureStreak("write commits and roll backs that were put aside in shard \(shard)", logger)
        for await _ in aside.changed.signals {
            while !aside.isClosed.isSet, let due = aside.answers.withLock({ $0.nextDue }) {
                // What is put aside meanwhile can be due before that.
                let wait = min(due - clock.monotonic(), AnswersAside.firstWait)
                await aside.isClosed.wait(upTo: .nanoseconds(wait), clock)
                guard !Task.isCancelled, !aside.isClosed.isSet else { break }
                let batch = aside.answers.withLock {
                    $0.take(limit: Self.asideAtOnce, now: clock.monotonic())
                }
                // Those of topics that are not served here need the first shard.
                await retry(batch.filter { $0.undecided == nil }, shard: shard, &failures)
                await retry(batch.filter { $0.undecided != nil }, shard: shard, &failures)
            }
            if aside.isClosed.isSet || Task.isCancelled { break }
        }
        let left = aside.answers.withLock { aside in
            defer { aside.removeAll() }
            return aside.count
        }
        guard left > 0 else { return }
        counters.dropped.add(left)
        logger.warning(
            "stopped with \(left) commits and roll backs not written that the store did not take: their publishers are asked again",
            metadata: ["shard": "\(shard)"])
    }

    private func retry(_ batch: [Answer], shard: Int, _ failures: inout FailureStreak) async {
        guard !batch.isEmpty else { return }
        let aside = asides[shard]
        do {
            guard leases.isHeld(shard) else {
                throw StoreError(.unavailable, "this broker's lease of shard \(shard) is not renewed")
            }
            let route = try await savedRoutes(batch)
            let outcomes = try await store.decide(batch.map(\.decision), shard: shard, route: route)
            failures.end()
            var left: [Answer] = []
            for (answer, outcome) in zip(batch, outcomes) {
                if case .notYet = outcome {
                    let now = clock.monotonic()
                    aside.answers.withLock { $0.failed(answer.decision.messageID, now: now) }
                    continue
                }
                for undecided in complete([answer], [outcome], shard: shard) {
                    if answer.undecided == nil {
                        // It is tried again by what the topic's own brokers have saved.
                        aside.answers.withLock { $0.untried(undecided) }
                    } else {
                        left.append(undecided)
                    }
                }
                if case .unknownTopic = outcome { continue }
                aside.answers.withLock { $0.passed(answer.decision.messageID, now: clock.monotonic()) }
            }
            for answer in batch.dropFirst(outcomes.count) { aside.answers.withLock { $0.untried(answer) } }
            guard !left.isEmpty else { return }
            await leave(left, shard: shard, &failures)
            for answer in left {
                aside.answers.withLock { $0.passed(answer.decision.messageID, now: clock.monotonic()) }
            }
        } catch {
            failures.add(error)
            rereadIfUnknown(error, shard: shard)
            let now = clock.monotonic()
            for answer in batch { aside.answers.withLock { $0.failed(answer.decision.messageID, now: now) } }
        }
    }
}
