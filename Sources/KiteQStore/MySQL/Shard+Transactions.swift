import KiteQCore
import MariaDB

/// Half messages whose publishers are to be asked. They are anybody's: who changes a row first asks.
extension Shard {
    func dueTransactions(now: Timestamp, limit: Int) async throws -> [DueTransaction] {
        try await run { connection in
            try connection.query(SQL.dueTransactions, [.int(now), .int(limit)]).map { row in
                DueTransaction(
                    seq: try row.int(3), message: try row.message(4, hasBody: false), connectionGroup: try row.text(0),
                    checks: Int(try row.int(1)), nextCheckAt: try row.int(2))
            }
        }
    }

    func reschedule(_ checks: [TransactionCheck]) async throws -> Set<Int64> {
        var changed: Set<Int64> = []
        // Each for itself: where one waits for a lock, those before it are done.
        for check in checks.sorted(by: { $0.seq < $1.seq }) {
            let isChanged = try await run { connection in
                switch check.action {
                case .next(let at, let count):
                    try connection.execute(
                        SQL.reschedule, [.int(at), .int(count), .int(check.seq), .int(check.previousCheckAt)]
                    ).affectedRows == 1
                case .park:
                    try connection.transaction { try Self.park(check, on: connection) }
                }
            }
            if isChanged { changed.insert(check.seq) }
        }
        return changed
    }

    private static func park(_ check: TransactionCheck, on connection: isolated MariaDBConnection) throws -> Bool {
        let now = StoreClock.now()
        let checks = try connection.query(SQL.checksOf, [.int(check.seq)]).first?.int(0) ?? 0
        let parked = try connection.execute(SQL.park, [.int(now), .int(check.seq), .int(check.previousCheckAt)])
        guard parked.affectedRows == 1 else { return false }
        try connection.execute(
            SQL.bury,
            [
                .text(""), .int(Int64(DeadLetterReason.undecided.rawValue)), .int(checks), .null, .int(now),
                .int(check.seq),
            ])
        try connection.execute(SQL.deleteHalfMessages, list: [.int(check.seq)])
        return true
    }
}
