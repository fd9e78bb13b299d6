import KiteQCore
import MariaDB

/// Which rows somebody has locked, found without waiting for them.
extension Shard {
    /// Those of these ids whose rows another session has locked, or is about to insert or delete; all of them where the table
    /// as a whole is locked.
    ///
    /// It tries to lock all, and then parts of them, down to single ones: what is locked is found after a few statements for
    /// each, none of which waits. Locks of the room between rows are not seen so.
    func lockedIDs(_ ids: [MessageID], until deadline: ContinuousClock.Instant) async throws -> Set<MessageID> {
        try await run(retryingLockWaits: false, until: deadline) { connection in
            guard let error = try Self.lock(ids[...], on: connection) else { return [] }
            if try Self.isTableLocked(error, on: connection) { return Set(ids) }
            var locked: Set<MessageID> = []
            var open = Self.halves(of: ids[...])
            if ids.count == 1 { return Set(ids) }
            while let some = open.popLast() {
                // What was not looked at counts as locked: it is looked at again.
                guard .now < deadline else {
                    locked.formUnion(some)
                    continue
                }
                guard try Self.lock(some, on: connection) != nil else { continue }
                if some.count == 1 { locked.formUnion(some) } else { open += Self.halves(of: some) }
            }
            return locked
        }
    }

    private static func halves(of ids: ArraySlice<MessageID>) -> [ArraySlice<MessageID>] {
        let middle = ids.startIndex + ids.count / 2
        return [ids[..<middle], ids[middle...]]
    }

    /// Locks these for the time of the statement; the error says that one of them is another's.
    private static func lock(
        _ ids: ArraySlice<MessageID>, on connection: isolated MariaDBConnection
    ) throws -> MariaDBError? {
        do {
            try connection.query(SQL.lockByID, list: ids.map(\.value)) { _ in }
            return nil
        } catch let error as MariaDBError where error.isLockWaitTimeout {
            return error
        }
    }

    /// MySQL tells a row's lock from the table's, for which it waits all the same. MariaDB waits for neither, and has one
    /// error: then an id that nobody has tells.
    private static func isTableLocked(
        _ error: MariaDBError, on connection: isolated MariaDBConnection
    ) throws -> Bool {
        if connection.server.kind == .mySQL { return error.code == 1205 }
        return try lock([.random()], on: connection) != nil
    }
}
