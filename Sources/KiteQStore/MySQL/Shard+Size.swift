import KiteQCore
import Logging
import MariaDB

/// Transactions are bounded in bytes: a row that is written, changed or deleted is in the server's binary log, and in what
/// replication takes of a transaction, with all its columns.
extension Shard {
    /// Bytes that one transaction writes, or one message's. It is far below what group replication (143 MiB), Galera (2 GiB)
    /// and a binary log's cache take by default, and large enough that a log flush is shared by many messages.
    static let transactionBytes = 16 << 20
    /// Messages whose size is asked for at once: the server reads their bodies for it.
    private static let sizesAtOnce = 64

    /// The bytes of messages; those that are gone are left out.
    func sizes(of seqs: [Int64]) async throws -> [Int64: Int] {
        var sizes: [Int64: Int] = [:]
        for piece in seqs.pieces(bytes: .max, rows: Self.sizesAtOnce, size: { _ in 0 }) {
            sizes.merge(try await run { try Self.sizes(of: piece, on: $0) }) { _, new in new }
        }
        return sizes
    }

    /// As ``sizes(of:)``, of a few.
    static func sizes(of seqs: [Int64], on connection: isolated MariaDBConnection) throws -> [Int64: Int] {
        var sizes: [Int64: Int] = [:]
        for piece in seqs.pieces(bytes: .max, rows: sizesAtOnce, size: { _ in 0 }) {
            try connection.query(SQL.sizes, list: piece.map { .int($0) }) { row in
                sizes[try row.int(0)] = Int(try row.int(1)) + Message.overhead
            }
        }
        return sizes
    }

    // MARK: In parts

    /// What the server did not take, each alone.
    struct Refusals {
        private(set) var count = 0

        /// So many are not the rows' own fault.
        private static let most = 8

        /// - Throws: the error, where there were too many.
        mutating func add(_ error: any Error) throws {
            count += 1
            if count >= Self.most { throw error }
        }
    }

    static func mayPassInParts(_ error: StoreError) -> Bool {
        guard let cause = error.underlying as? MariaDBError else { return false }
        return mayPassInParts(cause)
    }

    /// A full disk takes less of nothing.
    static func mayPassInParts(_ error: MariaDBError) -> Bool { error.mayPassInParts && !error.isDiskFull }

    /// Runs `body`, a transaction, for all of a list, and where the server takes that only in parts, for each half of it. What
    /// it does not take alone is left out, and named in the log.
    ///
    /// - Parameter what: fits behind "cannot".
    func inParts<Item>(
        _ items: [Item], _ what: String, _ refusals: inout Refusals, _ body: ([Item]) async throws -> Void
    ) async throws {
        guard !items.isEmpty else { return }
        do {
            try await body(items)
        } catch let error as StoreError where Self.mayPassInParts(error) {
            guard items.count > 1 else {
                try refusals.add(error)
                return logger.error("cannot \(what) (\(items[0])), it is tried again later: \(error)")
            }
            let half = items.count / 2
            try await inParts(Array(items[..<half]), what, &refusals, body)
            try await inParts(Array(items[half...]), what, &refusals, body)
        }
    }

    /// The same with statements that are transactions of their own.
    func inParts<Item>(
        _ items: [Item], _ what: String, _ refusals: inout Refusals, on connection: isolated MariaDBConnection,
        _ body: ([Item]) throws -> Void
    ) throws {
        guard !items.isEmpty else { return }
        do {
            try body(items)
        } catch let error as MariaDBError where Self.mayPassInParts(error) {
            guard items.count > 1 else {
                try refusals.add(error)
                return logger.error("cannot \(what) (\(items[0])), it is tried again later: \(error)")
            }
            let half = items.count / 2
            try inParts(Array(items[..<half]), what, &refusals, on: connection, body)
            try inParts(Array(items[half...]), what, &refusals, on: connection, body)
        }
    }

    /// Runs a statement that deletes the first of some rows (it ends in `LIMIT ?`) until so many are gone or none is left, each
    /// time with fewer of them where the server takes no more at once.
    /// - Returns: how many are gone.
    static func remove(
        _ sql: String, _ parameters: [MariaDBValue], limit: Int, on connection: isolated MariaDBConnection
    ) throws -> Int {
        var gone = 0
        // Of a limit that is none there would be many halves.
        var atOnce = min(limit, 1_000)
        while gone < limit {
            let rows = min(atOnce, limit - gone)
            do {
                let removed = try connection.execute(sql, parameters + [.int(rows)]).affectedRows
                gone += removed
                if removed < rows { break }
            } catch let error as MariaDBError where mayPassInParts(error) && rows > 1 {
                atOnce = rows / 2
            }
        }
        return gone
    }

    /// What tells which groups a life that is over had clients of: nobody looks at it any more.
    static func removePresence(of number: Int64, on connection: isolated MariaDBConnection) throws {
        let groups = try connection.query(SQL.presenceOf, [.int(number)]).map { MariaDBValue.text(try $0.text(0)) }
        try removePresence(of: number, groups, on: connection)
    }

    private static func removePresence(
        of number: Int64, _ groups: [MariaDBValue], on connection: isolated MariaDBConnection
    ) throws {
        do {
            try connection.execute(SQL.deletePresence, list: groups, after: [.int(number)])
        } catch let error as MariaDBError where mayPassInParts(error) && groups.count > 1 {
            let half = groups.count / 2
            try removePresence(of: number, Array(groups[..<half]), on: connection)
            try removePresence(of: number, Array(groups[half...]), on: connection)
        }
    }
}

extension MariaDBRow {
    /// The bytes of a message of which it has `header, body, extra` from this column on.
    func contentSize(_ first: Int) -> Int {
        values[first..<(first + 3)].reduce(0) { sum, value in
            if case .bytes(let bytes) = value { sum + bytes.count } else { sum }
        }
    }
}
