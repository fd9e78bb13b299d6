import KiteQCore
import Logging

/// Asks the producers of half messages that nobody decided, of one shard.
///
/// A half message is asked about by a broker that knows its topic's bindings and has a client of a group that may answer for it
/// (``DueTransaction/groups(trustingHeader:)``): the one whose
/// turn it is (`QuestionPlan`), and of several the one whose change of the row came first. A broker that has no publisher leaves
/// it to those that have; where nobody has one, it is put off. Of a topic whose bindings it does not know it leaves all but
/// those whose time is over, and puts none off: those who serve the topic are to find them due.
struct TransactionWorker: Sendable {
    let shard: Int
    let store: any TransactionStore
    let clients: any ClientDirectory
    let halfMessages: HalfMessageCache
    let routing: Routing
    let leases: Leases
    let clocks: ServerClocks
    let configuration: BrokerConfiguration
    let counters: TransactionCounters
    let clock: any ProcessClock
    let logger: Logger

    private static let pageSize = 500
    /// Rows that are left to other brokers stay due: it reads on behind them, not without end.
    private static let pagesAtOnce = 10
    /// What no broker has touched for so long after it was due nobody serves: milliseconds.
    private static let abandonedAfter: Timestamp = 60_000

    /// What it knows from one round to the next.
    private struct State {
        var reading = DueReading()
        var version = -1
        var plan = QuestionPlan()
        /// Half messages of topics that no broker seems to serve.
        var abandoned = LogThrottle(limit: 5, per: .seconds(600))
    }

    private enum Step {
        case ask(any QuestionedClient, next: Timestamp)
        case putOff(until: Timestamp)
        case park
        /// To other brokers, until the groups or bindings here change.
        case leave
        /// To another broker, for now.
        case wait
    }

    /// Runs until its task is cancelled.
    func run() async {
        var failures = FailureStreak("look for undecided messages in shard \(shard)", logger)
        var state = State()
        while !Task.isCancelled {
            await clock.pauseUntilNextRound(of: configuration.recoveryInterval)
            let version = routing.version
            if version != state.version { state.reading.startOver() }
            state.version = version
            do {
                for _ in 0..<Self.pagesAtOnce where leases.isHeld(shard) && !Task.isCancelled {
                    if try await readPage(&state) { break }
                }
                failures.end()
            } catch {
                failures.add(error)
            }
        }
    }

    /// Asks about a page; true where it was the last one.
    private func readPage(_ state: inout State) async throws -> Bool {
        guard let now = clocks.now(shard) else { return true }
        let latest = now + longestDistance + ServerClock.tolerance
        let due = try await store.dueTransactions(
            shard: shard, after: state.reading.place, now: now, latest: latest, limit: Self.pageSize)
        let trustsHeader = !routing.provesGroups
        var audience = QuestionAudience(
            clients, halfMessages, trustsHeader: trustsHeader, now: clock.monotonic())
        var steps: [Int64: Step] = [:]
        for transaction in due {
            steps[transaction.seq] = step(transaction, &audience, trustsHeader: trustsHeader, state.plan, now: now)
        }
        let checks = due.compactMap { check($0, steps[$0.seq]) }
        if !checks.isEmpty {
            let changed = try await store.reschedule(checks, shard: shard)
            for transaction in due where changed.contains(transaction.seq) {
                switch steps[transaction.seq] {
                case .ask(let publisher, _):
                    state.plan.asked(publisher.id, about: transaction.row)
                    ask(publisher, about: transaction)
                case .park: tellOfParking(transaction)
                default: break
                }
            }
        }
        tellOfAbandoned(due, &state, now: now)
        let rows = due.map { transaction in
            // Behind one that lies further ahead than it may nothing that comes due would be found.
            if case .leave = steps[transaction.seq], transaction.nextCheckAt <= now {
                return (place: transaction.place, isLeft: true)
            }
            return (place: transaction.place, isLeft: false)
        }
        let isLast = due.count < Self.pageSize
        state.reading.read(rows, isLast: isLast)
        return isLast
    }

    /// The change of its row.
    private func check(_ due: DueTransaction, _ step: Step?) -> TransactionCheck? {
        let action: TransactionCheck.Action
        switch step {
        case .ask(_, let next): action = .next(at: next, checks: due.checks + 1)
        case .putOff(let time): action = .next(at: time, checks: due.checks)
        case .park: action = .park
        case .leave, .wait, nil: return nil
        }
        return TransactionCheck(seq: due.seq, previousCheckAt: due.nextCheckAt, action: action)
    }

    private func step(
        _ due: DueTransaction, _ audience: inout QuestionAudience, trustsHeader: Bool, _ plan: QuestionPlan,
        now: Timestamp
    ) -> Step {
        // Parking loses nothing: that anybody may do.
        if due.message.expiresAt <= now { return .park }
        guard routing.knows(due.message.topic) else { return .leave }
        let isElsewhere = due.groups(trustingHeader: trustsHeader).contains { routing.isElsewhere($0, shard: shard) }
        let grace = 3 * configuration.recoveryInterval.milliseconds
        let candidates = audience.candidates(for: due)
        guard let client = plan.next(for: due.row, among: candidates), let publisher = audience[client.id] else {
            // Those who have a client of the group may have none that can be asked: then somebody has to put it off.
            let patience = max(Self.abandonedAfter, configuration.absentPublisherRecheck.milliseconds)
            if isElsewhere, (0..<patience).contains(now - due.nextCheckAt) { return .leave }
            // A client that only publishes is not told of in the store. A broker that has one finds the row due first: put off by
            // this one at once, it would be due again just as this one looks, time and again.
            if (0..<grace).contains(now - due.nextCheckAt) { return .wait }
            let later = now + configuration.absentPublisherRecheck.milliseconds
            return .putOff(until: min(later, due.message.expiresAt))
        }
        let isOwn = audience.isOwn(due)
        if plan.isOthersTurn(due.row, isOwn: isOwn, isElsewhere: isElsewhere, now: now, grace: grace) { return .wait }
        switch configuration.transactions.next(checks: due.checks, now: now, expiresAt: due.message.expiresAt) {
        case .at(let next): return .ask(publisher, next: next)
        case .giveUp: return .park
        }
    }

    /// No question is further away than this, milliseconds.
    private var longestDistance: Timestamp {
        max(configuration.transactions.longestDistance, configuration.absentPublisherRecheck.milliseconds)
    }

    private func ask(_ publisher: any QuestionedClient, about transaction: DueTransaction) {
        CrashPoint.reached(.questionClaimed)
        publisher.ask(about: transaction.message)
        CrashPoint.reached(.asked)
        counters.asked.add(1)
    }

    // MARK: The log

    private func tellOfParking(_ transaction: DueTransaction) {
        counters.parked.add(1)
        halfMessages.remove(transaction.message.id)
        logger.warning(
            "half message \(transaction.message.id) of group \(transaction.message.publisherGroup) is undecided after \(transaction.checks) questions, it is among the dead letters now: requeue (commit) or delete it (roll back) as its publisher's own tables say; a late answer of its group is taken, too",
            metadata: transaction.message.logMetadata.with(["group": "\(transaction.message.publisherGroup)"]))
    }

    /// Half messages of a page that are due for long, of a topic that is unknown here: no broker that knows it has looked at them.
    private func tellOfAbandoned(_ due: [DueTransaction], _ state: inout State, now: Timestamp) {
        let abandoned = due.filter {
            now - $0.nextCheckAt > Self.abandonedAfter && $0.message.expiresAt > now
                && !routing.knows($0.message.topic)
        }
        for (topic, messages) in Dictionary(grouping: abandoned, by: { BindingName($0.message.topic) }) {
            guard let first = messages.first, state.abandoned.admit(now: .now) != nil else { continue }
            logger.warning(
                "\(messages.count) half messages of topic \(topic.text) wait for a broker that serves it and has a client of their group; nobody asks about them until then, and at their expiry they are parked",
                metadata: first.message.logMetadata.with(["group": "\(first.message.publisherGroup)"]))
        }
    }
}

extension DueTransaction {
    var row: QuestionPlan.Row { QuestionPlan.Row(seq: seq, checks: checks, dueAt: nextCheckAt) }
}
