import KiteQCore
import Logging
import Synchronization

/// The publishes of one shard: those that wait for its writers, and those that the writers have in their hands.
final class ShardPublishes: Sendable {
    private struct Met {
        var failures: FailureStreak
        /// From arrival to store ack.
        var times = LatencyHistogram()
    }

    let shard: Int
    let context: PublishContext
    private let lane: BatchLane<PendingPublish>
    /// What waits for locks of somebody's, with a writer of its own.
    private let aside: BatchLane<PendingPublish>
    private let hands = PublishHands()
    /// What its writers have met.
    private let met: Mutex<Met>

    private static let retryPause: Duration = .milliseconds(50)
    private static let lockPause: Duration = .milliseconds(100)

    init(shard: Int, _ context: PublishContext, logger: Logger) {
        self.shard = shard
        self.context = context
        let configuration = context.configuration
        let newLane = {
            BatchLane<PendingPublish>(
                capacity: .init(items: configuration.shardQueueLength, bytes: configuration.shardQueueBytes),
                batch: .init(items: configuration.batchRows, bytes: configuration.batchBytes), size: \.bytes,
                clock: context.clock)
        }
        (lane, aside) = (newLane(), newLane())
        met = Mutex(Met(failures: FailureStreak("store messages in shard \(shard)", logger)))
    }

    var waiting: (items: Int, bytes: Int) {
        let (depth, apart) = (lane.depth, aside.depth)
        return (depth.items + apart.items, depth.bytes + apart.bytes)
    }

    var times: LatencyHistogram { met.withLock { $0.times } }

    // MARK: Taking

    /// Those that find the lane full are refused, and all where the shard is known to be away.
    func submit(_ items: [PendingPublish]) {
        if let why = context.leases.whyAway(shard) {
            context.counters.failed.add(items.count)
            context.answer(
                items.map {
                    PublishResult(
                        publish: $0.accepted, verdict: .tryAgain,
                        feedback: "not stored, for its shard is away: \(why)")
                })
            return
        }
        let accepted = lane.submit(items)
        guard accepted < items.count else { return }
        let refused = items[accepted...].map {
            PublishResult(
                publish: $0.accepted, verdict: .tryAgain, feedback: "the broker is overloaded, try again later")
        }
        context.counters.overloaded.add(refused.count)
        context.answer(refused)
    }

    func close() { lane.close() }

    /// Answers those whose time is up.
    func tick() {
        let now = context.clock.monotonic()
        lane.tick()
        let waiting =
            lane.removeFirst { context.isLate($0, now: now) } + aside.remove { context.isLate($0, now: now) }
        let held = hands.takeLate { context.isLate($0, now: now) }
        if !waiting.isEmpty { refuse(waiting, failure ?? "the store does not keep up") }
        answerLate(held)
    }

    // MARK: Writing

    /// As many writers as its transactions at a time, and one for what waits for locks.
    func run() async {
        async let apart: Void = writeAside()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<context.configuration.writersPerShard {
                group.addTask { await self.write() }
            }
        }
        aside.close()
        await apart
    }

    private func write() async {
        await lane.work(prepare: begin) { batch in
            await store(batch)
            finish(batch)
        }
    }

    /// Tries again, now and then, to store what was locked. It does not wait for the locks: the store finds what is locked.
    private func writeAside() async {
        await aside.work(prepare: { self.count($0) }) { batch in
            await store(batch, after: Self.lockPause)
            finish(batch)
        }
    }

    /// Gives seqs while the lane is locked, so that they rise in the order of arrival.
    private func begin(_ batch: inout [PendingPublish]) {
        context.giveSeqs(to: &batch, shard: shard)
        count(batch)
    }

    private func count(_ batch: [PendingPublish]) {
        context.writing.withLock { writing in
            writing.items += batch.count
            writing.bytes += batch.reduce(0) { $0 + $1.bytes }
        }
    }

    private func finish(_ batch: [PendingPublish]) {
        context.writing.withLock { writing in
            writing.items -= batch.count
            writing.bytes -= batch.reduce(0) { $0 + $1.bytes }
        }
    }

    /// Tries until the store has the batch, or the time of all in it is up. A try whose outcome is not known is repeated like
    /// any other: the store finds what it has already. What is locked is put aside.
    ///
    /// - Parameter rest: before the first try.
    private func store(_ batch: [PendingPublish], after rest: Duration = .zero) async {
        let hand = hands.take(batch)
        defer { hands.release(hand) }
        if rest > .zero { await context.clock.pause(rest) }
        while true {
            // It waited its turn, or rested.
            let now = context.clock.monotonic()
            answerLate(hands.takeLate(from: hand) { context.isTooLateToTry($0, now: now) })
            let batch = hands.startTry(hand)
            // Who has least time of them: the others are tried again, and what was not sent in its time is refused, not in doubt.
            guard let oldest = batch.lazy.map(\.accepted.arrivedAt).min() else { return }
            do {
                guard context.leases.isHeld(shard) else {
                    throw StoreError(.unavailable, "this broker's lease of shard \(shard) is not renewed")
                }
                CrashPoint.reached(.inserting)
                let left = oldest + context.lastTry - context.clock.monotonic()
                let outcomes = try await context.store.insert(
                    insertions(batch), shard: shard, deadline: .now + .nanoseconds(left))
                CrashPoint.reached(.inserted)
                return complete(batch, outcomes, answered: hands.endTry(hand))
            } catch {
                if context.leases.isHeld(shard) { context.health.failed(shard, error) }
                let again = failed(batch, error, answered: hands.endTry(hand))
                guard !again.isEmpty else { return }
                hands.keep(hand, again)
                await context.clock.pause(Self.retryPause)
            }
        }
    }

    private func insertions(_ batch: [PendingPublish]) throws -> [Insertion] {
        guard let now = context.clocks.now(shard) else {
            throw StoreError(.unavailable, "the time of shard \(shard)'s server is not known yet")
        }
        return batch.map { publish in
            Insertion(
                seq: publish.seq, message: publish.message, route: publish.route,
                connectionGroup: publish.accepted.origin.group,
                firstCheckAt: publish.route != nil
                    ? 0 : context.configuration.transactions.firstCheck(now: now, expiresAt: publish.message.expiresAt))
        }
    }

    // MARK: Answering

    private var failure: String? { met.withLock { $0.failures.current } }

    private func answerLate(_ held: [PublishHand.Late]) {
        guard !held.isEmpty else { return }
        let reason = failure ?? "the store has not answered within \(context.configuration.publishWait)"
        refuse(held.lazy.filter { !$0.isBeingStored }.map(\.publish), reason)
        let uncertain = held.filter(\.isBeingStored).map { late in
            var publish = late.publish
            publish.mayBeStored = true
            return context.refusal(of: publish, publish.obstacle ?? reason)
        }
        context.counters.failed.add(uncertain.count)
        context.answer(uncertain)
    }

    /// Ends the waiting of some that the store does not have now.
    private func refuse(_ publishes: some Collection<PendingPublish>, _ reason: String) {
        guard !publishes.isEmpty else { return }
        context.counters.failed.add(publishes.count)
        context.answer(publishes.map { context.refusal(of: $0, $0.obstacle ?? reason) })
        rereadUncertain(publishes)
    }

    /// An earlier try may have stored them all the same.
    private func rereadUncertain(_ publishes: some Collection<PendingPublish>) {
        guard let first = publishes.lazy.filter(\.mayBeStored).map(\.seq).min() else { return }
        context.dispatcher.reread(shard: shard, from: first)
    }

    /// Answers what is decided, and puts aside what is locked.
    /// - Parameter answered: seqs that were answered while the store had them. Those that it has are delivered.
    private func complete(
        _ batch: [PendingPublish], _ outcomes: [Insertion.Outcome], answered: Set<Int64>
    ) {
        precondition(outcomes.count == batch.count, "a store answers for each row of a batch")
        var results: [PublishResult] = []
        results.reserveCapacity(batch.count)
        var stored: [(seq: Int64, message: Message, route: Route)] = []
        stored.reserveCapacity(batch.count)
        var (locked, repeated): ([PendingPublish], [Int64]) = ([], [])
        var (newlyStored, decided) = (0, 0)
        for (publish, outcome) in zip(batch, outcomes) {
            let isOwedAnswer = answered.isEmpty || !answered.contains(publish.seq)
            func settle(_ verdict: PublishVerdict, _ feedback: String) {
                guard isOwedAnswer else { return }
                results.append(PublishResult(publish: publish.accepted, verdict: verdict, feedback: feedback))
            }
            if !outcome.isOpen { decided += 1 }
            switch outcome {
            case .stored:
                newlyStored += 1
                settle(.accepted, "stored")
                if let route = publish.route {
                    stored.append((publish.seq, publish.message, route))
                } else {
                    CrashPoint.reached(.halfStored)
                    context.topics[publish.message.topic]?.half.add(1)
                    publish.accepted.countedBy?.withHalfMessages { $0.stored() }
                    if let publisher = publish.accepted.origin.questioned {
                        context.halfMessages.insert(publish.message, seq: publish.seq, publishedBy: publisher)
                    }
                }
            case .duplicate(let seq):
                context.counters.duplicates.add(1)
                repeated.append(seq)
                settle(.accepted, "stored before")
            case .committedBefore:
                context.counters.duplicates.add(1)
                settle(.accepted, "stored before, and committed")
            case .taken(let taken):
                context.counters.refused.add(1)
                settle(.refused, "\(taken)")
            case .refused(let reason):
                context.counters.refused.add(1)
                settle(.refused, reason)
            case .notYet(let reason), .unknown(let reason):
                var publish = publish
                publish.obstacle = reason
                if outcome.mayBeStored { publish.mayBeStored = true }
                if isOwedAnswer { locked.append(publish) } else { rereadUncertain([publish]) }
            }
        }
        context.counters.stored.add(newlyStored)
        if newlyStored > 0 { context.health.proved(shard) }
        let now = context.clock.monotonic()
        met.withLock { met in
            if decided > 0 { met.failures.end() }
            for result in results where result.status { met.times.record(now - result.publish.arrivedAt) }
        }
        context.answer(results)
        CrashPoint.reached(.publishAcknowledged)
        context.dispatcher.accept(stored, shard: shard)
        context.dispatcher.noteRepeats(of: repeated, shard: shard)
        if !locked.isEmpty { putAside(locked, now: now) }
    }

    private func putAside(_ locked: [PendingPublish], now: MonotonicTime) {
        let next = now + Self.lockPause.nanoseconds
        let isOver = { [context] (publish: PendingPublish) in
            context.isTooLateToTry(publish, now: next) || context.fence.isRaised
        }
        refuse(locked.filter(isOver), "its place in the store is locked")
        let waiting = locked.filter { !isOver($0) }
        let accepted = aside.submit(waiting)
        // It is full, or the broker stops.
        refuse(waiting[accepted...], "its place in the store is locked")
    }

    /// Answers those that are not tried again; returns the others.
    private func failed(
        _ batch: [PendingPublish], _ error: any Error, answered: Set<Int64>
    ) -> [PendingPublish] {
        met.withLock { $0.failures.add(error) }
        let isUnknown = (error as? StoreError)?.isOutcomeUnknown ?? false
        let isTemporary = (error as? StoreError)?.isTemporary ?? false || isUnknown
        let isFenced = context.fence.isRaised || (error as? StoreError)?.code == .fenced
        let next = context.clock.monotonic() + Self.retryPause.nanoseconds
        var (given, again): ([PendingPublish], [PendingPublish]) = ([], [])
        for var publish in batch {
            if isUnknown { publish.mayBeStored = true }
            let isOver =
                !isTemporary || isFenced || answered.contains(publish.seq)
                || context.isTooLateToTry(publish, now: next)
            if isOver { given.append(publish) } else { again.append(publish) }
        }
        guard let first = given.lazy.map(\.seq).min() else { return again }
        let owed = given.filter { !answered.contains($0.seq) }
        context.counters.failed.add(owed.count)
        context.answer(owed.map { context.refusal(of: $0, "\(error)") })
        // An earlier try may have stored them all the same.
        context.dispatcher.reread(shard: shard, from: first)
        return again
    }
}
