import KiteQCore
import Logging

/// Asks the producers of half messages that nobody decided, of one shard.
///
/// A half message is asked about by any broker that has a publisher of its group: the one whose change of the row came first.
/// A broker that has none leaves it to those that have; where nobody has one, it is put off.
struct TransactionWorker: Sendable {
    let shard: Int
    let store: any MessageStore
    let connections: ConnectionTable
    let halfMessages: HalfMessageCache
    let routing: Routing
    let leases: Leases
    let clocks: ServerClocks
    let configuration: BrokerConfiguration
    let counters: TransactionCounters
    let logger: Logger

    private static let pageSize = 500
    /// Rows that are left to other brokers stay due: it reads on behind them, not without end.
    private static let pagesAtOnce = 10

    /// Runs until its task is cancelled.
    func run() async {
        var failures = FailureStreak("look for undecided messages in shard \(shard)", logger)
        var place: DueTransaction.Place?
        while !Task.isCancelled {
            await pauseUntilNextRound(of: configuration.recoveryInterval)
            do {
                for _ in 0..<Self.pagesAtOnce where leases.isHeld(shard) && !Task.isCancelled {
                    place = try await ask(after: place)
                    if place == nil { break }
                }
                failures.end()
            } catch {
                failures.add(error)
            }
        }
    }

    /// Asks about a page; nil where it was the last one.
    private func ask(after place: DueTransaction.Place?) async throws -> DueTransaction.Place? {
        guard let now = clocks.now(shard) else { return nil }
        let latest = now + longestDistance + ServerClock.tolerance
        var checks: [TransactionCheck] = []
        var publishers: [Int64: Connection] = [:]
        let due = try await store.dueTransactions(
            shard: shard, after: place, now: now, latest: latest, limit: Self.pageSize)
        for transaction in due {
            guard let (action, publisher) = plan(transaction, now: now) else { continue }
            checks.append(
                TransactionCheck(seq: transaction.seq, previousCheckAt: transaction.nextCheckAt, action: action))
            publishers[transaction.seq] = publisher
        }
        if !checks.isEmpty {
            let changed = try await store.reschedule(checks, shard: shard)
            let parked = Set(checks.lazy.filter { $0.action == .park }.map(\.seq))
            for transaction in due where changed.contains(transaction.seq) {
                if let publisher = publishers[transaction.seq] {
                    ask(publisher, about: transaction)
                } else if parked.contains(transaction.seq) {
                    tellOfParking(transaction)
                }
            }
        }
        return due.count < Self.pageSize ? nil : due.last?.place
    }

    /// No question is further away than this, milliseconds.
    private var longestDistance: Timestamp {
        max(configuration.transactions.longestDistance, configuration.absentPublisherRecheck.milliseconds)
    }

    private func ask(_ publisher: Connection, about transaction: DueTransaction) {
        CrashPoint.reached(.questionClaimed)
        publisher.ask(about: transaction.message)
        CrashPoint.reached(.asked)
        counters.asked.add(1)
    }

    private func tellOfParking(_ transaction: DueTransaction) {
        counters.parked.add(1)
        logger.warning(
            "half message \(transaction.message.id) of group \(transaction.message.publisherGroup) is undecided after \(transaction.checks) questions, it is among the dead letters now: requeue (commit) or delete it (roll back) as its publisher's own tables say",
            metadata: transaction.message.logMetadata.with(["group": "\(transaction.message.publisherGroup)"]))
    }

    /// What becomes of a due half message, and who is asked, if anybody: the connection that published it, else another of the
    /// publishing group. Nil: it is left to the brokers that have one.
    private func plan(
        _ due: DueTransaction, now: Timestamp
    ) -> (action: TransactionCheck.Action, publisher: Connection?)? {
        if due.message.expiresAt <= now { return (.park, nil) }
        let publisher =
            halfMessages.publisher(of: due.message.id).flatMap { $0.isOpen ? $0 : nil }
            ?? connections.publisher(of: due.message.publisherGroup)
            ?? connections.publisher(of: due.connectionGroup)
        guard let publisher else {
            let groups = [due.message.publisherGroup, due.connectionGroup]
            if groups.contains(where: { routing.isElsewhere($0, shard: shard) }) { return nil }
            let later = now + configuration.absentPublisherRecheck.milliseconds
            return (.next(at: min(later, due.message.expiresAt), checks: due.checks), nil)
        }
        switch configuration.transactions.next(checks: due.checks, now: now, expiresAt: due.message.expiresAt) {
        case .at(let next): return (.next(at: next, checks: due.checks + 1), publisher)
        case .giveUp: return (.park, nil)
        }
    }
}

extension Duration {
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
