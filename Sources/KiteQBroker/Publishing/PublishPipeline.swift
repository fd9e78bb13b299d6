import KiteQCore
import KiteQWire
import Logging
import Synchronization

/// Takes publishes to the store and their acks back: a lane and its writers for each shard.
///
/// A publish joins its shard's lane. A writer that is free takes all that waits, gives it seqs, and inserts it in one
/// transaction. After the commit the store acks go out, one hand-over for each connection and batch, and the messages go to
/// the dispatcher. Nothing is acknowledged that the store did not say it has.
///
/// Each publish is answered once, and within `publishWait` of its arrival, whatever the store does: what waits then is refused,
/// and of what is being stored it is said that nobody knows. A row that somebody has locked is put aside, and waits apart from
/// the others.
final class PublishPipeline: Sendable {
    private let store: any PublishStore
    private let shardMap: ShardMap
    private let dispatcher: Dispatcher
    private let halfMessages: HalfMessageCache
    private let configuration: BrokerConfiguration
    private let topics: TopicPublishes
    private let lanes: [BatchLane<PendingPublish>]
    /// What waits for locks of somebody's, with a writer of its own.
    private let asides: [BatchLane<PendingPublish>]
    private let hands: [PublishHands]
    private let sequence: Mutex<SequenceGenerator>
    private let leases: Leases
    private let clocks: ServerClocks
    private let fence: Fence
    private let health: WriteHealth
    private let met: [Met]
    /// Publishes in the hands of writers, and their bytes.
    private let writing = Mutex((items: 0, bytes: 0))
    let counters = PublishCounters()

    private static let retryPause: Duration = .milliseconds(50)
    private static let lockPause: Duration = .milliseconds(100)

    /// What its writers have met in one shard.
    private final class Met: Sendable {
        struct State {
            var failures: FailureStreak
            /// From arrival to store ack.
            var times = LatencyHistogram()
        }

        private let state: Mutex<State>

        init(shard: Int, _ logger: Logger) {
            state = Mutex(State(failures: FailureStreak("store messages in shard \(shard)", logger)))
        }

        func withLock<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
            state.withLock { state in body(&state) }
        }
    }

    init(
        store: any PublishStore, entry: StoreEntry, dispatcher: Dispatcher, halfMessages: HalfMessageCache,
        leases: Leases, clocks: ServerClocks, fence: Fence, health: WriteHealth, topics: TopicPublishes,
        configuration: BrokerConfiguration,
        logger: Logger
    ) {
        self.store = store
        shardMap = store.shardMap
        self.dispatcher = dispatcher
        self.halfMessages = halfMessages
        self.configuration = configuration
        self.leases = leases
        self.clocks = clocks
        self.topics = topics
        self.fence = fence
        self.health = health
        met = (0..<store.shardMap.shardCount).map { Met(shard: $0, logger) }
        let newLanes = {
            (0..<store.shardMap.shardCount).map { _ in
                BatchLane<PendingPublish>(
                    capacity: .init(items: configuration.shardQueueLength, bytes: configuration.shardQueueBytes),
                    batch: .init(items: configuration.batchRows, bytes: configuration.batchBytes), size: \.bytes)
            }
        }
        (lanes, asides) = (newLanes(), newLanes())
        hands = (0..<store.shardMap.shardCount).map { _ in PublishHands() }
        sequence = Mutex(SequenceGenerator(incarnation: entry.incarnation, above: entry.floor))
    }

    func shard(of id: MessageID) -> Int { shardMap.shard(of: id) }

    /// Why nothing can be stored in a shard now; nil where it can, or nobody knows.
    func whyAway(_ shard: Int) -> String? { leases.whyAway(shard) }

    /// All seqs from now on are above this one: a shard was joined that has it.
    func raiseSeqs(above floor: Int64) { sequence.withLock { $0.raise(above: floor) } }

    /// Takes publishes of one connection, as one read brought them. Those that find their shard's lane full are refused, and
    /// those whose shard is known to be away.
    func submit(_ publishes: [PendingPublish]) {
        var byShard = [[PendingPublish]](repeating: [], count: lanes.count)
        for publish in publishes { byShard[shardMap.shard(of: publish.message.id)].append(publish) }
        for (shard, items) in byShard.enumerated() where !items.isEmpty {
            if let why = leases.whyAway(shard) {
                counters.failed.add(items.count)
                answer(
                    items.map {
                        PublishResult(
                            publish: $0.accepted, verdict: .tryAgain,
                            feedback: "not stored, for its shard is away: \(why)")
                    })
                continue
            }
            let accepted = lanes[shard].submit(items)
            guard accepted < items.count else { continue }
            let refused = items[accepted...].map {
                PublishResult(
                    publish: $0.accepted, verdict: .tryAgain, feedback: "the broker is overloaded, try again later")
            }
            counters.overloaded.add(refused.count)
            answer(refused)
        }
    }

    /// Writers of one shard: as many as its transactions at a time, and one for what waits for locks.
    func run(shard: Int) async {
        async let aside: Void = writeAside(shard: shard)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<configuration.writersPerShard {
                group.addTask { await self.write(shard: shard) }
            }
        }
        asides[shard].close()
        await aside
    }

    /// Takes nothing more; `run` returns once all that waits is written.
    func close() {
        for lane in lanes { lane.close() }
    }

    /// Publishes that wait for the writers of one shard.
    func waiting(shard: Int) -> (items: Int, bytes: Int) {
        let (depth, aside) = (lanes[shard].depth, asides[shard].depth)
        return (depth.items + aside.items, depth.bytes + aside.bytes)
    }

    /// Publishes that were taken and are not done with the store.
    var depth: (items: Int, bytes: Int) {
        lanes.indices.reduce(into: writing.withLock { $0 }) { sum, shard in
            let depth = waiting(shard: shard)
            sum.items += depth.items
            sum.bytes += depth.bytes
        }
    }

    /// From a publish's arrival to its store ack.
    var times: LatencyHistogram {
        met.reduce(into: LatencyHistogram()) { sum, met in sum.add(met.withLock { $0.times }) }
    }

    private func write(shard: Int) async {
        await lanes[shard].work(prepare: begin) { batch in
            await store(batch, shard: shard)
            finish(batch)
        }
    }

    /// Tries again, now and then, to store what was locked. It does not wait for the locks: the store finds what is locked.
    private func writeAside(shard: Int) async {
        await asides[shard].work(prepare: { self.count($0) }) { batch in
            await store(batch, shard: shard, after: Self.lockPause)
            finish(batch)
        }
    }

    /// Gives seqs while the lane is locked, so that they rise in the order of arrival.
    private func begin(_ batch: inout [PendingPublish]) {
        // Without a time, which it has from before the first was admitted, it would count on.
        let now = batch.first.flatMap { clocks.now(shard(of: $0.message.id)) } ?? 0
        sequence.withLock { sequence in
            for index in batch.indices { batch[index].seq = sequence.next(now: now) }
        }
        count(batch)
    }

    private func count(_ batch: [PendingPublish]) {
        writing.withLock { writing in
            writing.items += batch.count
            writing.bytes += batch.reduce(0) { $0 + $1.bytes }
        }
    }

    private func finish(_ batch: [PendingPublish]) {
        writing.withLock { writing in
            writing.items -= batch.count
            writing.bytes -= batch.reduce(0) { $0 + $1.bytes }
        }
    }

    // MARK: Storing

    /// Tries until the store has the batch, or the time of all in it is up. A try whose outcome is not known is repeated like
    /// any other: the store finds what it has already. What is locked is put aside.
    ///
    /// - Parameter rest: before the first try.
    private func store(_ batch: [PendingPublish], shard: Int, after rest: Duration = .zero) async {
        let hands = hands[shard]
        let hand = hands.take(batch)
        defer { hands.release(hand) }
        if rest > .zero { await pause(rest) }
        while true {
            // It waited its turn, or rested.
            let now = SystemTime.monotonic()
            answerLate(hands.takeLate(from: hand) { isTooLateToTry($0, now: now) }, shard)
            let batch = hands.startTry(hand)
            guard let last = batch.lazy.map(\.accepted.arrivedAt).max() else { return }
            do {
                guard leases.isHeld(shard) else {
                    throw StoreError(.unavailable, "this broker's lease of shard \(shard) is not renewed")
                }
                CrashPoint.reached(.inserting)
                let left = last + lastTry - SystemTime.monotonic()
                let outcomes = try await store.insert(
                    insertions(batch, shard: shard), shard: shard, deadline: .now + .nanoseconds(left))
                CrashPoint.reached(.inserted)
                return complete(batch, outcomes, answered: hands.endTry(hand), shard: shard)
            } catch {
                if leases.isHeld(shard) { health.failed(shard, error) }
                let again = failed(batch, error, answered: hands.endTry(hand), shard: shard)
                guard !again.isEmpty else { return }
                hands.keep(hand, again)
                await pause(Self.retryPause)
            }
        }
    }

    /// From a publish's arrival: its tries end then, somewhat before its answer is due. So what waited for a connection alone is
    /// refused, and not said to be uncertain.
    private var lastTry: MonotonicTime {
        let wait = configuration.publishWait.nanoseconds
        return wait - min(wait / 10, 100_000_000)
    }

    private func isTooLateToTry(_ publish: PendingPublish, now: MonotonicTime) -> Bool {
        now - publish.accepted.arrivedAt >= lastTry
    }

    private func insertions(_ batch: [PendingPublish], shard: Int) throws -> [Insertion] {
        guard let now = clocks.now(shard) else {
            throw StoreError(.unavailable, "the time of shard \(shard)'s server is not known yet")
        }
        return batch.map { publish in
            Insertion(
                seq: publish.seq, message: publish.message, route: publish.route,
                connectionGroup: publish.accepted.origin.group,
                firstCheckAt: publish.route != nil
                    ? 0 : configuration.transactions.firstCheck(now: now, expiresAt: publish.message.expiresAt))
        }
    }

    private func isLate(_ publish: PendingPublish, now: MonotonicTime) -> Bool {
        now - publish.accepted.arrivedAt >= configuration.publishWait.nanoseconds
    }

    /// To be called again and again: answers those whose time is up, the writers being at a store that does not answer.
    func tick() {
        let now = SystemTime.monotonic()
        for shard in lanes.indices {
            lanes[shard].tick()
            let waiting =
                lanes[shard].removeFirst { isLate($0, now: now) } + asides[shard].remove { isLate($0, now: now) }
            let held = hands[shard].takeLate { isLate($0, now: now) }
            if !waiting.isEmpty { refuse(waiting, failure(shard) ?? "the store does not keep up", shard: shard) }
            answerLate(held, shard)
        }
    }

    private func failure(_ shard: Int) -> String? { met[shard].withLock { $0.failures.current } }

    private func answerLate(_ held: [PublishHand.Late], _ shard: Int) {
        guard !held.isEmpty else { return }
        let reason = failure(shard) ?? "the store has not answered within \(configuration.publishWait)"
        refuse(held.lazy.filter { !$0.isBeingStored }.map(\.publish), reason, shard: shard)
        let uncertain = held.filter(\.isBeingStored).map { late in
            var publish = late.publish
            publish.mayBeStored = true
            return refusal(of: publish, publish.obstacle ?? reason)
        }
        counters.failed.add(uncertain.count)
        answer(uncertain)
    }

    /// Ends the waiting of some that the store does not have now.
    private func refuse(_ publishes: some Collection<PendingPublish>, _ reason: String, shard: Int) {
        guard !publishes.isEmpty else { return }
        counters.failed.add(publishes.count)
        answer(publishes.map { refusal(of: $0, $0.obstacle ?? reason) })
        rereadUncertain(publishes, shard: shard)
    }

    /// An earlier try may have stored them all the same.
    private func rereadUncertain(_ publishes: some Collection<PendingPublish>, shard: Int) {
        guard let first = publishes.lazy.filter(\.mayBeStored).map(\.seq).min() else { return }
        dispatcher.reread(shard: shard, from: first)
    }

    /// Answers what is decided, and puts aside what is locked.
    /// - Parameter answered: seqs that were answered while the store had them. Those that it has are delivered.
    private func complete(
        _ batch: [PendingPublish], _ outcomes: [Insertion.Outcome], answered: Set<Int64>, shard: Int
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
                    topics[publish.message.topic]?.half.add(1)
                    publish.accepted.countedBy?.withHalfMessages { $0.stored() }
                    if case .connection(let publisher) = publish.accepted.origin {
                        halfMessages.insert(publish.message, seq: publish.seq, publishedBy: publisher)
                    }
                }
            case .duplicate(let seq):
                counters.duplicates.add(1)
                repeated.append(seq)
                settle(.accepted, "stored before")
            case .committedBefore:
                counters.duplicates.add(1)
                settle(.accepted, "stored before, and committed")
            case .taken(let taken):
                counters.refused.add(1)
                settle(.refused, "\(taken)")
            case .refused(let reason):
                counters.refused.add(1)
                settle(.refused, reason)
            case .notYet(let reason), .unknown(let reason):
                var publish = publish
                publish.obstacle = reason
                if outcome.mayBeStored { publish.mayBeStored = true }
                if isOwedAnswer { locked.append(publish) } else { rereadUncertain([publish], shard: shard) }
            }
        }
        counters.stored.add(newlyStored)
        if newlyStored > 0 { health.proved(shard) }
        let now = SystemTime.monotonic()
        met[shard].withLock { met in
            if decided > 0 { met.failures.end() }
            for result in results where result.status { met.times.record(now - result.publish.arrivedAt) }
        }
        answer(results)
        CrashPoint.reached(.publishAcknowledged)
        dispatcher.accept(stored, shard: shard)
        dispatcher.noteRepeats(of: repeated, shard: shard)
        if !locked.isEmpty { putAside(locked, now: now, shard: shard) }
    }

    private func putAside(_ locked: [PendingPublish], now: MonotonicTime, shard: Int) {
        let next = now + Self.lockPause.nanoseconds
        let isOver: (PendingPublish) -> Bool = { self.isTooLateToTry($0, now: next) || self.fence.isRaised }
        refuse(locked.filter(isOver), "its place in the store is locked", shard: shard)
        let waiting = locked.filter { !isOver($0) }
        let accepted = asides[shard].submit(waiting)
        // It is full, or the broker stops.
        refuse(waiting[accepted...], "its place in the store is locked", shard: shard)
    }

    private func refusal(of publish: PendingPublish, _ reason: String) -> PublishResult {
        let outcome = publish.mayBeStored ? StoreAck.outcomeUnknown : "the message could not be stored: "
        return PublishResult(
            publish: publish.accepted, verdict: publish.mayBeStored ? .unknown : .tryAgain, feedback: outcome + reason)
    }

    /// Answers those that are not tried again; returns the others.
    private func failed(
        _ batch: [PendingPublish], _ error: any Error, answered: Set<Int64>, shard: Int
    ) -> [PendingPublish] {
        met[shard].withLock { $0.failures.add(error) }
        let isUnknown = (error as? StoreError)?.isOutcomeUnknown ?? false
        let isTemporary = (error as? StoreError)?.isTemporary ?? false || isUnknown
        let isFenced = fence.isRaised || (error as? StoreError)?.code == .fenced
        let next = SystemTime.monotonic() + Self.retryPause.nanoseconds
        var (given, again): ([PendingPublish], [PendingPublish]) = ([], [])
        for var publish in batch {
            if isUnknown { publish.mayBeStored = true }
            let isOver =
                !isTemporary || isFenced || answered.contains(publish.seq)
                || isTooLateToTry(publish, now: next)
            if isOver { given.append(publish) } else { again.append(publish) }
        }
        guard let first = given.lazy.map(\.seq).min() else { return again }
        let owed = given.filter { !answered.contains($0.seq) }
        counters.failed.add(owed.count)
        answer(owed.map { refusal(of: $0, "\(error)") })
        // An earlier try may have stored them all the same.
        dispatcher.reread(shard: shard, from: first)
        return again
    }

    private func answer(_ results: [PublishResult]) {
        for result in results { result.publish.countedBy?.withHalfMessages { $0.answered() } }
        for result in results where !result.status { topics[result.publish.message.topic]?.refused.add(1) }
        let byOrigin = Dictionary(grouping: results) { $0.publish.origin.identity }
        for results in byOrigin.values { results[0].publish.origin.answer(results) }
    }
}
