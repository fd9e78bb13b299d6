import KiteQCore
import Logging
import MariaDB

/// What is remembered of a shard holds only as long as its database is what it was: somebody may put it back to an earlier state,
/// or delete rows, while the server stays the same.
extension Shard {
    /// Compares what is remembered with the rows, and writes again what is missing and known.
    ///
    /// Each step may fail, while a dump is played back most of all. That messages are to be read again is kept until the whole
    /// succeeds (``takeReread()``).
    /// - Returns: what was amiss, but for that.
    func checkMemory() async throws -> MemoryCheck {
        var check = MemoryCheck()
        try await lookAtTables()
        try await lookAtPresence()
        try await writeLostBindings()
        check.routesWritten = try await checkRoutes()
        check.unknownRoutes = try await findUnknownRoutes()
        return check
    }

    /// Tables of messages that were made anew since the last look, as the playing back of a dump does.
    private func lookAtTables() async throws {
        let made = try await run { connection in
            try connection.query(SQL.tablesMade).map { "\(try $0.text(0)) \($0.values[1])" }.sorted().joined(
                separator: ",")
        }
        noteTables(made)
    }

    /// Rows that say which groups are here. What is lost is remembered as not written, so that it is written next time.
    private func lookAtPresence() async throws {
        let number = incarnation
        let rows = try await run { connection in
            Set(try connection.query(SQL.presenceOf, [.int(number)]).map { try $0.text(0) })
        }
        if noteLack(ofPresence: !presence.isSubset(of: rows)) { presence = rows }
    }

    // MARK: The lease

    /// Whether this incarnation's row is the one that was last written. One that is older says that the database was put back to a
    /// state of before: what this broker knows of its messages may be wrong in every point, and its life has to end. A server that
    /// took over and is still behind looks the same: a cluster's has to apply what the others committed before it answers, and any is
    /// looked at twice.
    ///
    /// - Returns: what was found; 0 where there is no row.
    /// - Throws: `StoreError`: at first `unavailable`, then `fenced`.
    func checkLease(of number: Int64, on connection: isolated MariaDBConnection) throws -> Timestamp {
        let read: @Sendable (isolated MariaDBConnection) throws -> Timestamp = { connection in
            try connection.query(SQL.leaseOf, [.int(number)]).first?.int(0) ?? 0
        }
        var found = try read(connection)
        if isLeaseOlder(found) { found = try connection.seeingAllCommits { try read(connection) } }
        // Who declared it dead, or deleted it, is told from what was put back by the renewal.
        guard found > 0 else { return 0 }
        switch noteLease(found: found) {
        case .asWritten:
            // Perhaps of a renewal whose reply was lost: it is no less true.
            setLease(written: found)
            return found
        case .olderOnce:
            throw StoreError(
                .unavailable, "the lease in shard \(self.number) is older than what was last written there")
        case .older:
            throw StoreError(
                .fenced,
                "the database of shard \(self.number) was put back to an earlier state: incarnation \(number) cannot go on with what it knows"
            )
        }
    }

    /// After a renewal.
    func rememberLease(of number: Int64, on connection: isolated MariaDBConnection) throws {
        if let row = try connection.query(SQL.leaseOf, [.int(number)]).first { setLease(written: try row.int(0)) }
    }

    // MARK: Bindings

    /// Topics whose bindings were saved from here, and are not there any more. Those that are there are let be: another broker may
    /// know better.
    private func writeLostBindings() async throws {
        let saved = savedTopics
        guard !saved.isEmpty else { return }
        let there = try await run { connection in
            var there: Set<String> = []
            try connection.query(SQL.savedTopics, list: saved.map { .text($0) }) { there.insert(try $0.text(0)) }
            return there
        }
        let lost = noteLost(topics: saved.filter { !there.contains($0) })
        guard !lost.isEmpty else { return }
        logger.warning("the saved bindings of \(lost.count) topics are gone, writing them again")
        try await saveBindings(bindingsSaved(of: lost), topics: lost)
    }
}
