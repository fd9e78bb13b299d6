import KiteQCore
import MariaDB
import Synchronization

/// Half messages whose publishers are to be asked. They are anybody's: who changes a row first asks.
extension Shard {
    private static let checksPerTransaction = 100

    func dueTransactions(
        after place: DueTransaction.Place?, now: Timestamp, latest: Timestamp, limit: Int
    ) async throws -> [DueTransaction] {
        // Beyond `latest`, and not before the place.
        let beyond = MariaDBValue.int(max(latest, (place?.nextCheckAt ?? 0) - 1))
        return try await run { [self] connection in
            try look(.undecided) { isFull in
                let head = isFull ? .min : marks.withLock { $0.places.undecidedFrom }
                let from = MariaDBValue.int(place?.nextCheckAt ?? head)
                let parameters: [MariaDBValue] = [from, .int(now), beyond, from, .int(place?.seq ?? .min), .int(limit)]
                let page = try connection.query(SQL.dueTransactions, parameters).map { row in
                    DueTransaction(
                        seq: try row.int(3), message: try row.message(4, hasBody: false),
                        connectionGroup: try row.text(0), checks: Int(try row.int(1)), nextCheckAt: try row.int(2))
                }
                if place == nil {
                    marks.withLock { $0.places.lookedForUndecided(first: page.first?.nextCheckAt, now: now) }
                }
                return page
            }
        }
    }

    func reschedule(_ checks: [TransactionCheck]) async throws -> Set<Int64> {
        let checks = checks.sorted { $0.seq < $1.seq }
        // One that is parked is copied to the dead letters and deleted, with its body.
        let sizes = try await sizes(of: checks.filter { $0.action == .park }.map(\.seq))
        var changed: Set<Int64> = []
        var refusals = Refusals()
        for piece in checks.pieces(
            bytes: Self.transactionBytes, rows: Self.checksPerTransaction, size: { 2 * (sizes[$0.seq] ?? 0) })
        {
            try await inParts(piece, "reschedule or park half messages", &refusals) { checks in
                changed.formUnion(
                    try await run { [self] connection in
                        try connection.transaction { try reschedule(checks[...], on: connection) }
                    })
            }
        }
        return changed
    }

    /// A row that is locked is being answered, or asked about by another broker: it is passed over rather than waited for.
    private func reschedule(
        _ checks: ArraySlice<TransactionCheck>, on connection: isolated MariaDBConnection
    ) throws -> Set<Int64> {
        var found: [Int64: Timestamp] = [:]
        try connection.query(SQL.lockDueTransactions, list: checks.map { .int($0.seq) }) { row in
            found[try row.int(0)] = try row.int(1)
        }
        let mine = checks.filter { found[$0.seq] == $0.previousCheckAt }
        for check in mine {
            switch check.action {
            case .next(let at, let count):
                try connection.execute(SQL.reschedule, [.int(at), .int(count), .int(check.seq)])
            case .park: try park(check.seq, on: connection)
            }
        }
        return Set(mine.map(\.seq))
    }

    private func park(_ seq: Int64, on connection: isolated MariaDBConnection) throws {
        let now = MariaDBValue.int(self.now)
        let checks = try connection.query(SQL.checksOf, [.int(seq)]).first?.int(0) ?? 0
        try connection.execute(SQL.park, [now, .int(seq)])
        let reason = MariaDBValue.int(Int64(DeadLetterReason.undecided.rawValue))
        try connection.execute(SQL.bury, [.text(""), reason, .int(checks), .null, now, .int(seq)])
        try connection.execute(SQL.deleteHalfMessages, list: [.int(seq)])
    }
}
