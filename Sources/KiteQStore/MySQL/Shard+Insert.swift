import KiteQCore
import MariaDB

/// Step 5 of a message's way: many rows, one transaction, one log flush.
extension Shard {
    func insert(_ batch: [Insertion]) async throws -> [Insertion.Outcome] {
        var outcomes = [Insertion.Outcome?](repeating: nil, count: batch.count)
        var open: [Int] = []
        var first: [MessageID: Int] = [:]
        for (index, insertion) in batch.enumerated() {
            if let earlier = first.updateValue(index, forKey: insertion.message.id) {
                first[insertion.message.id] = earlier
                outcomes[index] = .duplicate(of: batch[earlier].seq)
            } else {
                open.append(index)
            }
        }
        try await ensureRoutes(batch.compactMap(\.route))
        let pieces = pieces(open, of: batch)
        for (index, outcome) in zip(pieces.joined(), try await insert(pieces.map { $0.map { batch[$0] } })) {
            outcomes[index] = outcome
        }
        // What repeats a row that was not stored is not either.
        return outcomes.enumerated().map { index, outcome in
            guard case .duplicate? = outcome, let earlier = first[batch[index].message.id], earlier != index else {
                return outcome ?? .refused("the message was not looked at")
            }
            switch outcomes[earlier] {
            case .refused(let reason): return .refused(reason)
            case .notYet(let reason): return .notYet(reason)
            default: return outcome ?? .refused("the message was not looked at")
            }
        }
    }

    /// At most half of max_allowed_packet in one statement.
    private func pieces(_ indices: [Int], of batch: [Insertion]) -> [[Int]] {
        var pieces: [[Int]] = []
        var current: [Int] = []
        var bytes = 0
        let limit = maxPacket / 2
        for index in indices {
            let size = batch[index].message.footprint
            if !current.isEmpty && bytes + size > limit {
                pieces.append(current)
                current = []
                bytes = 0
            }
            current.append(index)
            bytes += size
        }
        if !current.isEmpty { pieces.append(current) }
        return pieces
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
                for insertion in rest { known[insertion.message.id] = .stored }
                break
            } catch let error as MariaDBError where error.isDuplicateKey || error.isCommitOutcomeUnknown {
                rounds += 1
                let settled = try await settleByReading(rest, after: error)
                known.merge(settled) { _, new in new }
                rest.removeAll { known[$0.message.id] != nil }
                if rounds > 3 && rest.count == 1 {
                    known[rest[0].message.id] = .refused("its place in the store is taken, publish it again")
                    break
                }
                if rounds > 8 { throw storeError(error) }
            } catch let error as MariaDBError where error.isDataError || error.isLockWaitTimeout {
                guard rest.count > 1 else {
                    known[rest[0].message.id] =
                        error.isLockWaitTimeout
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
        let messages = Self.messageRows(batch, owner: owner)
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

    private static func messageRows(_ batch: [Insertion], owner: Int64) -> MariaDBBatch {
        var rows = MariaDBBatch([
            .int, .bytes, .int, .int, .int, .int, .int, .int, .int, .bytes, .bytes, .bytes, .bytes, .bytes, .bytes,
        ])
        for insertion in batch {
            let message = insertion.message
            rows.append(insertion.seq)
            message.id.withBytes { rows.append($0) }
            rows.append(
                Int64(insertion.isHalf ? StoredMessage.State.half.rawValue : StoredMessage.State.fresh.rawValue))
            rows.append(Int64(message.kind.rawValue))
            rows.append(owner)
            rows.append(insertion.route?.id ?? Route.halfID)
            rows.append(message.expiresAt)
            rows.append(message.publishedAt)
            rows.append(Int64(message.deliverLimit))
            rows.append(message.topic)
            rows.append(message.messageType)
            rows.append(message.publisherGroup)
            rows.append(message.header)
            rows.append(message.body)
            if let extra = message.extra { rows.append(extra) } else { rows.appendNull() }
        }
        return rows
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

    // MARK: Routes

    /// Makes sure that the rows of these routes are there before a message refers to them.
    func ensureRoutes(_ routes: [Route]) async throws {
        var missing: [Int64: Route] = [:]
        for route in routes where missing[route.id] == nil && knownRoute(route.id) == nil { missing[route.id] = route }
        for route in missing.values where !route.members.isEmpty {
            var rows = MariaDBBatch([.int, .bytes, .int])
            for member in route.members {
                rows.append(route.id)
                rows.append(member.group)
                rows.append(Int64(member.persistent ? 1 : 0))
            }
            let batch = rows
            let stored = try await run { connection in
                try connection.insert(into: SQL.insertRoutes, batch, tail: SQL.keepRoute)
                return try Self.readRoute(route.id, on: connection)
            }
            guard stored.members == route.members else {
                throw StoreError(
                    .failed, "two sets of groups have the same route \(route.id); rename one of the groups")
            }
            remember(route)
        }
    }

    static func readRoute(_ id: Int64, on connection: isolated MariaDBConnection) throws -> Route {
        Route(
            try connection.query(SQL.route, [.int(id)]).map {
                Route.Member(group: try $0.text(0), persistent: try $0.int(1) != 0)
            })
    }
}
