import KiteQCore
import Logging

/// Asks the producers of half messages that nobody decided, of one shard, and sweeps out what was decided long ago.
struct TransactionWorker: Sendable {
    let shard: Int
    let store: any MessageStore
    let connections: ConnectionTable
    let halfMessages: HalfMessageCache
    let configuration: BrokerConfiguration
    let counters: TransactionCounters
    let logger: Logger

    private static let pageSize = 500
    private static let purgeEvery = 60

    /// Runs until its task is cancelled.
    func run() async {
        var round = 0
        while await pause() {
            do {
                try await ask()
                if round % Self.purgeEvery == 0 { try await purge() }
                round += 1
            } catch {
                logger.error("cannot look for undecided messages: \(error)", metadata: ["shard": "\(shard)"])
            }
        }
    }

    private func pause() async -> Bool {
        do {
            try await Task.sleep(for: configuration.recoveryInterval)
            return true
        } catch {
            return false  // Cancelled: the broker stops.
        }
    }

    private func ask() async throws {
        let now = SystemTime.wall()
        var checks: [TransactionCheck] = []
        for due in try await store.dueTransactions(shard: shard, now: now, limit: Self.pageSize) {
            checks.append(
                TransactionCheck(seq: due.seq, previousCheckAt: due.nextCheckAt, action: ask(due, now: now)))
        }
        if !checks.isEmpty { try await store.reschedule(checks, shard: shard) }
    }

    /// Asks the connection that published it, else another of the publishing group, and says when to look again.
    private func ask(_ due: DueTransaction, now: Timestamp) -> TransactionCheck.Action {
        if due.message.expiresAt <= now {
            counters.parked.add(1)
            logger.warning("half message \(due.message.id) expired undecided, it is among the dead letters now")
            return .park
        }
        let publisher = halfMessages.publisher(of: due.message.id).flatMap { $0.isOpen ? $0 : nil }
        guard
            let connection = publisher
                ?? connections.publisher(of: due.message.publisherGroup)
                ?? connections.publisher(of: due.connectionGroup)
        else {
            let later = now + Timestamp(configuration.absentPublisherRecheck.milliseconds)
            return .next(at: min(later, due.message.expiresAt), checks: due.checks)
        }
        switch configuration.transactions.next(checks: due.checks, now: now, expiresAt: due.message.expiresAt) {
        case .at(let next):
            connection.ask(about: due.message)
            counters.asked.add(1)
            return .next(at: next, checks: due.checks + 1)
        case .giveUp:
            counters.parked.add(1)
            logger.warning(
                "half message \(due.message.id) of group \(due.message.publisherGroup) is undecided after \(due.checks) questions, it is among the dead letters now"
            )
            return .park
        }
    }

    private func purge() async throws {
        let now = SystemTime.wall()
        let decided = now - Timestamp(configuration.transactionRetention.milliseconds)
        let dead = now - Timestamp(configuration.deadLetterRetention.milliseconds)
        while try await store.purge(
            shard: shard, decidedBefore: decided, deadLettersBefore: dead, limit: Self.pageSize) >= Self.pageSize
        {
            if Task.isCancelled { return }
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
