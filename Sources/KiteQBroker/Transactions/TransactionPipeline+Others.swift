import KiteQCore
import Logging
import Synchronization

/// Commits of topics that other brokers serve, and of those whose expressions take long.
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

    func giveToOthers(_ answers: [Answer], shard: Int) {
        guard !answers.isEmpty else { return }
        othersMessages.withLock { messages in
            for answer in answers { messages[answer.decision.messageID, default: 0] += 1 }
        }
        let accepted = others[shard].submit(answers)
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

    /// Runs until the shard's lane is closed and empty, and this one too. Each shard has its own: one that is away holds up
    /// no other's.
    func runOthers(shard: Int) async {
        var failures = FailureStreak(
            "decide half messages of topics that other brokers serve in shard \(shard)", logger)
        await others[shard].work { batch in
            defer { forget(batch) }
            let free = withoutAside(batch, shard: shard)
            guard !free.isEmpty, let route = await savedRoutesAtLast(free, &failures) else { return }
            let left = await write(free, shard: shard, route, &failures)
            if !left.isEmpty { await leave(left, shard: shard, &failures) }
        }
    }

    /// Nil where it was given up, and the answers are dropped.
    private func savedRoutesAtLast(_ batch: [Answer], _ failures: inout FailureStreak) async -> RouteOf? {
        while true {
            do {
                return try await savedRoutes(batch)
            } catch {
                failures.add(error)
                guard await mayRetry(after: error) else {
                    counters.dropped.add(batch.count)
                    return nil
                }
            }
        }
    }

    /// What is known here, and of the topics that are not, what their brokers have saved. Found before the transaction that
    /// asks: expressions may take long, and rows are locked in it. Of what takes long one group has only so much at a time: who has more
    /// waits for the next question, and the others do not wait for him.
    func savedRoutes(_ batch: [Answer]) async throws -> RouteOf {
        let routing = routes.routing
        let topics = Set(batch.compactMap(\.undecided?.topic)).filter { !routing.knows($0) }.sorted()
        let saved = topics.isEmpty ? nil : try await store.savedBindings(topics: topics)
        let table = BindingTable(saved ?? [])
        var found: [Subject: Route?] = [:]
        var dear: [String: Set<Subject>] = [:]
        for answer in batch {
            guard let undecided = answer.undecided else { continue }
            let (topic, messageType) = (undecided.topic, undecided.messageType)
            let subject = Subject(topic: BindingName(topic), messageType: BindingName(messageType))
            guard found[subject] == nil else { continue }
            if let route = routing.soon(topic: topic, messageType: messageType) {
                found[subject] = .some(route)
            } else if routing.knows(topic)
                || table.work(topic: topic, messageType: messageType, known: nil) > Routing.cheap
            {
                let group = answer.decision.connectionGroup
                if dear[group, default: []].count < Self.dearOfGroup { dear[group, default: []].insert(subject) }
            } else {
                found[subject] = .some(routing.route(topic: topic, messageType: messageType, by: table))
            }
        }
        for (subject, route) in await tried(dear, table) { found[subject] = .some(route) }
        return { [found] topic, messageType in
            let subject = Subject(topic: BindingName(topic), messageType: BindingName(messageType))
            return routing.soon(topic: topic, messageType: messageType) ?? found[subject].flatMap { $0 }
        }
    }

    /// Message types of one group that take long, and whose routes are found for one batch.
    private static let dearOfGroup = 8

    /// Nil where nobody tells, or the broker stops.
    private func tried(_ subjects: [String: Set<Subject>], _ saved: BindingTable) async -> [(Subject, Route?)] {
        await withTaskGroup(of: (Subject, Route?).self) { tasks in
            for (group, subjects) in subjects {
                for subject in subjects {
                    tasks.addTask {
                        let (topic, messageType) = (subject.topic.text, subject.messageType.text)
                        let route = await self.routes.found(for: group, isWanted: { !self.isClosed }) { routing in
                            routing.route(topic: topic, messageType: messageType)
                                ?? routing.route(topic: topic, messageType: messageType, by: saved)
                        }
                        return (subject, route)
                    }
                }
            }
            return await tasks.reduce(into: []) { $0.append($1) }
        }
    }

    private struct Subject: Hashable {
        var topic: BindingName
        var messageType: BindingName
    }

    /// They stay undecided. What the publisher has to say is asked for now, not when the next question would be due.
    func leave(_ answers: [Answer], shard: Int, _ failures: inout FailureStreak) async {
        let now = clocks.now(shard)
        var checks: [TransactionCheck] = []
        for answer in answers {
            guard let undecided = answer.undecided else { continue }
            log.left(answer, undecided, isKnown: routes.routing.knows(undecided.topic))
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
