import KiteQCore
import MariaDB

/// Step 5 of a message's way: many rows, one transaction, one log flush.
extension Shard {
    func insert(_ batch: [Insertion]) async throws -> [Insertion.Outcome] {
        try await ensureRoutes(batch.lazy.compactMap(\.route))
        let ids = Set(batch.lazy.map(\.message.id))
        return ids.count == batch.count ? try await insert(pieces(of: batch)) : try await insertFirsts(of: batch)
    }

    /// A batch in which ids repeat: the first of each is inserted, and the others are what became of it.
    private func insertFirsts(of batch: [Insertion]) async throws -> [Insertion.Outcome] {
        var places: [MessageID: Int] = [:]
        var firsts: [Insertion] = []
        let placeOf = batch.map { insertion in
            if let place = places[insertion.message.id] { return place }
            places[insertion.message.id] = firsts.count
            firsts.append(insertion)
            return firsts.count - 1
        }
        let outcomes = try await insert(pieces(of: firsts))
        return zip(batch, placeOf).map { insertion, place in
            switch outcomes[place] {
            case .refused, .notYet: outcomes[place]
            case .stored, .duplicate, .decided:
                firsts[place].seq == insertion.seq ? outcomes[place] : .duplicate(of: firsts[place].seq)
            }
        }
    }

    /// At most half of max_allowed_packet in one statement.
    private func pieces(of batch: [Insertion]) -> [[Insertion]] {
        var ends: [Int] = []
        var bytes = 0
        let limit = maxPacket / 2
        for (index, insertion) in batch.enumerated() {
            let size = insertion.message.footprint
            if bytes > 0 && bytes + size > limit {
                ends.append(index)
                bytes = 0
            }
            bytes += size
        }
        guard !ends.isEmpty else { return [batch] }
        return zip([0] + ends, ends + [batch.count]).map { Array(batch[$0..<$1]) }
    }

    /// Inserts one piece after the other.
    /// - Throws: what the first threw; what a later one threw leaves open which of all are stored.
    private func insert(_ pieces: [[Insertion]]) async throws -> [Insertion.Outcome] {
        var outcomes: [Insertion.Outcome] = []
        for piece in pieces {
            do {
                outcomes += try await insertPiece(piece)
            } catch var error as StoreError {
                if !outcomes.isEmpty { error.isOutcomeUnknown = true }
                throw error
            }
        }
        return outcomes
    }

    /// Inserts rows with distinct ids; settles by reading where a key was there already or a reply was lost, and inserts the
    /// rest again. Only what was committed or read counts as stored.
    private func insertPiece(_ batch: [Insertion]) async throws -> [Insertion.Outcome] {
        var known: [MessageID: Insertion.Outcome] = [:]
        var rest = batch
        var rounds = 0
        while !rest.isEmpty {
            do {
                try await write(rest)
                if known.isEmpty { return Array(repeating: .stored, count: batch.count) }
                for insertion in rest { known[insertion.message.id] = .stored }
                break
            } catch let error as MariaDBError where error.isDuplicateKey || error.isCommitOutcomeUnknown {
                rounds += 1
                let settled = try await settleByReading(rest, after: error)
                known.merge(settled) { _, new in new }
                rest.removeAll { known[$0.message.id] != nil }
                if rounds > 3 && rest.count == 1 && error.isDuplicateKey {
                    known[rest[0].message.id] = .refused("its place in the store is taken, publish it again")
                    break
                }
                if rounds > 8 { throw storeError(error) }
            } catch let error as MariaDBError
                where error.isDataError || error.isLockWaitTimeout || Self.mayPassInParts(error)
            {
                guard rest.count > 1 else {
                    known[rest[0].message.id] =
                        error.isLockWaitTimeout || !error.isDataError && !error.isTooLarge
                        ? .notYet(error.message) : .refused("the store refuses the message: \(error.message)")
                    break
                }
                // One row's sake must not be that of the others: split until it is alone. Each wait for a lock takes long.
                let size = max(1, rest.count / 16)
                let pieces = stride(from: 0, to: rest.count, by: size).map {
                    Array(rest[$0..<min($0 + size, rest.count)])
                }
                for (insertion, outcome) in zip(rest, try await insert(pieces)) {
                    known[insertion.message.id] = outcome
                }
                break
            } catch {
                throw storeError(error)
            }
        }
        return batch.map { known[$0.message.id] ?? .refused("the message was not stored") }
    }

    private func write(_ batch: [Insertion]) async throws {
        let owner = incarnation
        let messages = MessageRows.batch(batch, owner: owner)
        let halves = batch.filter(\.isHalf)
        let transactions = halves.isEmpty ? nil : Self.transactionRows(halves)
        var failures = 0
        while true {
            do {
                return try await pool.withConnection { connection in
                    if messages.count == 1 && transactions == nil {
                        return try connection.insert(into: SQL.insertMessages, messages)
                    }
                    try connection.transaction {
                        try connection.insert(into: SQL.insertMessages, messages)
                        if let transactions { try connection.insert(into: SQL.insertTransactions, transactions) }
                    }
                }
            } catch let error as MariaDBError
                where error.isRetriable && !error.isLockWaitTimeout && failures < (error.isConnectionLost ? 1 : 6)
            {
                failures += 1
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...(5 << failures))))
            }
        }
    }

    private static func transactionRows(_ halves: [Insertion]) -> MariaDBBatch {
        var rows = MariaDBBatch([.int, .bytes, .int, .int, .int, .bytes, .bytes])
        for insertion in halves {
            rows.append(insertion.seq)
            insertion.message.id.withBytes { rows.append($0) }
            rows.append(Int64(TransactionOutcome.undecided.rawValue))
            rows.append(0)
            rows.append(insertion.firstCheckAt)
            rows.append(insertion.message.publisherGroup)
            rows.append(insertion.connectionGroup)
        }
        return rows
    }

    // MARK: Settling by reading

    /// What the store has of these ids; ids it has nothing of are left out.
    private func settleByReading(
        _ batch: [Insertion], after error: MariaDBError
    ) async throws -> [MessageID: Insertion.Outcome] {
        let ids = batch.map { $0.message.id.value }
        let halfIDs = batch.filter(\.isHalf).map { $0.message.id.value }
        let lostThread = error.isCommitOutcomeUnknown ? error.thread : nil
        let (owner, isDead) = (incarnation, isDead)
        do {
            return try await run { connection in
                // The lost connection's transaction must be over before it is looked at.
                if let lostThread { try connection.kill(lostThread) }
                var seqs: [MessageID: Int64] = [:]
                try connection.query(SQL.seqsByID, list: ids) { seqs[try $0.id(1)] = try $0.int(0) }
                var decided: [MessageID: TransactionOutcome] = [:]
                if !halfIDs.isEmpty {
                    try connection.query(SQL.outcomesByID, list: halfIDs) { row in
                        decided[try row.id(1)] = UInt8(exactly: try row.int(2)).flatMap {
                            TransactionOutcome(rawValue: $0)
                        }
                    }
                }
                var outcomes: [MessageID: Insertion.Outcome] = [:]
                for insertion in batch {
                    let id = insertion.message.id
                    if let seq = seqs[id] {
                        outcomes[id] = seq == insertion.seq ? .stored : .duplicate(of: seq)
                    } else if let outcome = decided[id], outcome != .undecided {
                        outcomes[id] = .decided(outcome)
                    }
                }
                // What is absent was not stored, unless an heir has taken it and finished it since.
                if lostThread != nil, outcomes.count < batch.count,
                    try connection.query(SQL.isLiving, [.int(owner)]).isEmpty
                {
                    throw isDead
                }
                return outcomes
            }
        } catch let error as StoreError {
            var error = error
            // Nothing could be read: the rows may be there or not.
            error.isOutcomeUnknown = lostThread != nil
            if let lostThread { suspect(lostThread, from: batch.lazy.map(\.seq).min() ?? 1) }
            throw error
        }
    }
}
