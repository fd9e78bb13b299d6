import KiteQCore
import Logging
import Synchronization

/// Commits of topics that other brokers serve.
///
/// A client sends its answer to whichever broker it is connected to, and waits for no reply. Where this one does not know the
/// topic's bindings it cannot say whom the message is for, and takes those that the topic's own brokers have saved in the
/// store. They are read for each batch: nothing is kept, and nobody's topics make memory grow. Where they do not tell either,
/// the message stays undecided, and its question is made due now: a broker that serves the topic asks.
extension TransactionPipeline {
    /// Those that may be written at once, and those that would overtake an earlier answer to the same message.
    func split(_ batch: [Answer]) -> (own: [Answer], behind: [Answer]) {
        othersMessages.withLock { messages in
            guard !messages.isEmpty else { return (batch, []) }
            return (
                batch.filter { messages[$0.decision.messageID] == nil },
                batch.filter { messages[$0.decision.messageID] != nil }
            )
        }
    }

    func giveToOthers(_ answers: [Answer]) {
        guard !answers.isEmpty else { return }
        othersMessages.withLock { messages in
            for answer in answers { messages[answer.decision.messageID, default: 0] += 1 }
        }
        let accepted = others.submit(answers)
        guard accepted < answers.count else { return }
        counters.dropped.add(answers.count - accepted)
        forget(answers[accepted...])
    }

    private func forget(_ answers: some Sequence<Answer>) {
        othersMessages.withLock { messages in
            for id in answers.lazy.map(\.decision.messageID) {
                let count = (messages[id] ?? 1) - 1
                messages[id] = count > 0 ? count : nil
            }
        }
    }

    /// Runs until the lanes of all shards are closed and empty, and this one too.
    func runOthers() async {
        var failures = FailureStreak("decide half messages of topics that other brokers serve", logger)
        await others.work { batch in
            defer { forget(batch) }
            guard let route = await savedRoutes(batch, &failures) else { return }
            let byShard = Dictionary(grouping: batch) { shardMap.shard(of: $0.decision.messageID) }
            for (shard, answers) in byShard.sorted(by: { $0.key < $1.key }) {
                guard let left = await write(answers, shard: shard, route, &failures), !left.isEmpty else { continue }
                await leave(left, shard: shard, &failures)
            }
        }
    }

    /// Nil where it was given up, and the answers are dropped.
    private func savedRoutes(_ batch: [Answer], _ failures: inout FailureStreak) async -> RouteOf? {
        let topics = Set(batch.compactMap(\.undecided?.topic)).sorted()
        while true {
            do {
                let table = BindingTable(try await store.savedBindings(topics: topics) ?? [])
                return { [routing] topic, messageType in
                    routing.route(topic: topic, messageType: messageType)
                        ?? routing.route(topic: topic, messageType: messageType, by: table)
                }
            } catch {
                failures.add(error)
                guard await mayRetry(after: error) else {
                    counters.dropped.add(batch.count)
                    return nil
                }
            }
        }
    }

    /// They stay undecided. What the publisher has to say is asked for now, not when the next question would be due.
    private func leave(_ answers: [Answer], shard: Int, _ failures: inout FailureStreak) async {
        let now = clocks.now(shard)
        var checks: [TransactionCheck] = []
        for answer in answers {
            guard let undecided = answer.undecided else { continue }
            log.left(answer, undecided)
            if let now, let place = undecided.place, place.nextCheckAt > now {
                checks.append(
                    TransactionCheck(
                        seq: place.seq, previousCheckAt: place.nextCheckAt,
                        action: .next(at: now, checks: undecided.checks)))
            }
        }
        do {
            if !checks.isEmpty { _ = try await store.reschedule(checks, shard: shard) }
        } catch {
            // The question comes when it would have come anyhow.
            failures.add(error)
        }
        counters.left.add(answers.count)
    }
}
