import KiteQCore
import MariaDB
import Synchronization

/// Step 5 of a message's way: many rows, one transaction, one log flush.
extension Shard {
    /// What became of one row, and what the store was read to have of its id.
    private struct Settled {
        var outcome: Insertion.Outcome
        var known: KnownID?
    }

    func insert(
        _ batch: [Insertion], until deadline: ContinuousClock.Instant
    ) async throws -> [Insertion.Outcome] {
        try await ensureRoutes(batch.lazy.compactMap(\.route), until: deadline)
        let ids = Set(batch.lazy.map(\.message.id))
        guard ids.count == batch.count else { return try await insertFirsts(of: batch, until: deadline) }
        return try await insert(pieces(of: batch), until: deadline).map(\.outcome)
    }

    /// A batch in which ids repeat: the first of each is inserted, and the others meet what the store has then.
    private func insertFirsts(
        of batch: [Insertion], until deadline: ContinuousClock.Instant
    ) async throws -> [Insertion.Outcome] {
        var places: [MessageID: Int] = [:]
        var firsts: [Insertion] = []
        let placeOf = batch.map { insertion in
            if let place = places[insertion.message.id] { return place }
            places[insertion.message.id] = firsts.count
            firsts.append(insertion)
            return firsts.count - 1
        }
        let settled = try await insert(pieces(of: firsts), until: deadline)
        return zip(batch, placeOf).map { insertion, place in
            let first = settled[place]
            if firsts[place].seq == insertion.seq { return first.outcome }
            let known = first.known ?? (first.outcome == .stored ? KnownID(firsts[place]) : nil)
            guard let known else { return first.outcome }
            return known.outcome(for: insertion) ?? .notYet("its id was in use a moment ago")
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
    private func insert(_ pieces: [[Insertion]], until deadline: ContinuousClock.Instant) async throws -> [Settled] {
        var settled: [Settled] = []
        for piece in pieces {
            do {
                settled += try await insertPiece(piece, until: deadline)
            } catch var error as StoreError {
                if !settled.isEmpty { error.isOutcomeUnknown = true }
                throw error
            }
        }
        return settled
    }

    /// How far a piece is.
    private struct Progress {
        var settled: [MessageID: Settled] = [:]
        /// Rows that were sent with a commit whose reply was lost. That they are not found later proves nothing: a server that takes
        /// over may have them to apply still. Only what is found, or is inserted after all, is certain.
        var uncertain: Set<MessageID> = []
        var lostThread: MariaDBThread?

        var mayHaveStored: Bool {
            settled.values.contains { $0.outcome == .stored } || uncertain.contains { settled[$0] == nil }
        }

        mutating func lost(_ batch: [Insertion], _ error: MariaDBError) {
            uncertain.formUnion(batch.lazy.map(\.message.id))
            lostThread = error.thread ?? lostThread
        }

        mutating func settle(_ insertion: Insertion, _ one: Settled) {
            var one = one
            switch one.outcome {
            case .notYet(let reason), .refused(let reason):
                if uncertain.contains(insertion.message.id) { one.outcome = .unknown(reason) }
            case .unknown, .stored, .duplicate, .committedBefore, .taken: break
            }
            settled[insertion.message.id] = one
        }

        mutating func putOff(_ batch: [Insertion], _ reason: String) {
            for insertion in batch { settle(insertion, Settled(outcome: .notYet(reason))) }
        }
    }

    private func insertPiece(
        _ batch: [Insertion], until deadline: ContinuousClock.Instant
    ) async throws -> [Settled] {
        try await writingFresh { write in
            note(batch.lazy.compactMap { row in row.route.map { ($0.id, row.seq) } }, in: write)
            return try await insertPiece(batch, as: write, until: deadline)
        }
    }

    /// Inserts rows with distinct ids; settles by reading where a key was there already or a reply was lost, puts aside what
    /// somebody has locked, and inserts the rest again. Only what was committed or read counts as stored, and only what no try may
    /// have stored counts as not stored.
    private func insertPiece(
        _ batch: [Insertion], as write: FreshMarks.WriteID, until deadline: ContinuousClock.Instant
    ) async throws -> [Settled] {
        var progress = Progress()
        do {
            let written = try await insertPiece(batch, &progress, until: deadline)
            if written.count == batch.count {
                return Array(repeating: Settled(outcome: .stored), count: batch.count)
            }
            for insertion in written { progress.settle(insertion, Settled(outcome: .stored)) }
        } catch var error as StoreError {
            if progress.mayHaveStored {
                error.isOutcomeUnknown = true
                suspectLost(batch, progress)
            }
            throw error
        }
        let settled = batch.map {
            progress.settled[$0.message.id] ?? Settled(outcome: .refused("the message was not stored"))
        }
        if settled.contains(where: \.outcome.mayBeStored) {
            marks.withLock { $0.fresh.doubt(write) }
            suspectLost(batch, progress)
        }
        return settled
    }

    /// What is uncertain is looked for once the lost connection is known to be gone.
    private func suspectLost(_ batch: [Insertion], _ progress: Progress) {
        guard let thread = progress.lostThread else { return }
        suspect(thread, from: batch.lazy.map(\.seq).min() ?? 1)
    }

    /// - Returns: those that were written; what became of the others is in `progress`.
    private func insertPiece(
        _ batch: [Insertion], _ progress: inout Progress, until deadline: ContinuousClock.Instant
    ) async throws -> [Insertion] {
        var rest = batch
        var rounds = 0
        var reason = "there was no time left to store it"
        let attempt = insertWatch.begin()
        defer { insertWatch.end(attempt) }
        if insertWatch.isCalledFor(besides: attempt) {
            try await putAsideLocked(&rest, "its place in the store is locked", &progress, until: deadline)
        }
        while !rest.isEmpty {
            guard .now < deadline else {
                progress.putOff(rest, reason)
                break
            }
            do {
                try await write(rest, until: deadline)
                return rest
            } catch let error as MariaDBError where error.isDuplicateKey || error.isCommitOutcomeUnknown {
                rounds += 1
                if error.isCommitOutcomeUnknown { progress.lost(rest, error) }
                for (insertion, one) in try await settleByReading(rest, after: error, until: deadline) {
                    progress.settle(insertion, one)
                }
                rest.removeAll { progress.settled[$0.message.id] != nil }
                if rounds > 3 && rest.count == 1 && error.isDuplicateKey {
                    progress.putOff(rest, "its place in the store is taken")
                    break
                }
                if rounds > 8 { throw storeError(error) }
            } catch let error as MariaDBError where error.isLockWaitTimeout {
                insertWatch.metLock()
                reason = error.message
                let waiting = rest.count
                try await putAsideLocked(&rest, reason, &progress, until: deadline)
                guard rest.count == waiting else { continue }
                // None of these rows: the room where one is to be. It is found by trying, each wait being as long.
                guard rest.count > 1 && .now < deadline else {
                    progress.putOff(rest, reason)
                    break
                }
                try await insertInParts(rest, &progress, until: deadline)
                break
            } catch let error as MariaDBError where error.isDataError || Self.mayPassInParts(error) {
                guard rest.count > 1 else {
                    let isPassing = !error.isDataError && !error.isTooLarge
                    progress.settle(
                        rest[0],
                        Settled(
                            outcome: isPassing
                                ? .notYet(error.message) : .refused("the store refuses the message: \(error.message)")))
                    break
                }
                // One row's sake must not be that of the others: split until it is alone.
                try await insertInParts(rest, &progress, until: deadline)
                break
            } catch {
                throw storeError(error)
            }
        }
        return []
    }

    private func insertInParts(
        _ rest: [Insertion], _ progress: inout Progress, until deadline: ContinuousClock.Instant
    ) async throws {
        for (insertion, one) in zip(rest, try await insert(split(rest), until: deadline)) {
            progress.settle(insertion, one)
        }
    }

    private func split(_ batch: [Insertion]) -> [[Insertion]] {
        let size = max(1, batch.count / 16)
        return stride(from: 0, to: batch.count, by: size).map {
            Array(batch[$0..<min($0 + size, batch.count)])
        }
    }

    /// Takes out of a batch what somebody has locked.
    private func putAsideLocked(
        _ rest: inout [Insertion], _ reason: String, _ progress: inout Progress,
        until deadline: ContinuousClock.Instant
    ) async throws {
        let locked = try await lockedIDs(rest.map(\.message.id), until: deadline)
        guard !locked.isEmpty else { return }
        insertWatch.metLock()
        progress.putOff(rest.filter { locked.contains($0.message.id) }, reason)
        rest.removeAll { locked.contains($0.message.id) }
    }

    private func write(_ batch: [Insertion], until deadline: ContinuousClock.Instant) async throws {
        let owner = incarnation
        let messages = MessageRows.batch(batch, owner: owner)
        let halves = batch.filter(\.isHalf)
        let transactions = halves.isEmpty ? nil : Self.transactionRows(halves)
        var failures = 0
        while true {
            do {
                // Who could not even ask must be able to say so before the time is up.
                return try await pool.withConnection(within: (deadline - .now) * 3 / 4) { connection in
                    try self.endLostSessions(on: connection)
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
                && .now < deadline
            {
                noteLost(error)
                failures += 1
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...(5 << failures))))
            } catch {
                noteLost(error)
                throw error
            }
        }
    }

    private static func transactionRows(_ halves: [Insertion]) -> MariaDBBatch {
        var rows = MariaDBBatch([.int, .bytes, .int, .int, .int, .bytes, .bytes, .int])
        for insertion in halves {
            rows.append(insertion.seq)
            insertion.message.id.withBytes { rows.append($0) }
            rows.append(Int64(TransactionOutcome.undecided.rawValue))
            rows.append(0)
            rows.append(insertion.firstCheckAt)
            rows.append(insertion.message.publisherGroup)
            rows.append(insertion.connectionGroup)
            rows.append(Int64(bitPattern: insertion.subject))
        }
        return rows
    }

    // MARK: Settling by reading

    /// What becomes of these rows by what the store has of their ids; those that may be inserted are left out.
    private func settleByReading(
        _ batch: [Insertion], after error: MariaDBError, until deadline: ContinuousClock.Instant
    ) async throws -> [(Insertion, Settled)] {
        let ids = batch.map { $0.message.id.value }
        let halfIDs = batch.filter(\.isHalf).map { $0.message.id.value }
        let lostThread = error.isCommitOutcomeUnknown ? error.thread : nil
        let (owner, isDead) = (incarnation, isDead)
        let settle: @Sendable (isolated MariaDBConnection) throws -> [(Insertion, Settled)] = { connection in
            // The lost connection's transaction must be over before it is looked at.
            if let lostThread { try connection.kill(lostThread) }
            return try connection.seeingAllCommits {
                var known: [MessageID: KnownID] = [:]
                try connection.query(SQL.knownMessages, list: ids) { row in
                    known[try row.id(1), default: KnownID()].row = try KnownID.Row(row)
                }
                try connection.query(SQL.outcomesByID, list: halfIDs) { row in
                    known[try row.id(0), default: KnownID()].half = try KnownID.Half(row)
                }
                let settled: [(Insertion, Settled)] = batch.compactMap { insertion in
                    guard let found = known[insertion.message.id], let outcome = found.outcome(for: insertion) else {
                        return nil
                    }
                    return (insertion, Settled(outcome: outcome, known: found))
                }
                // What is absent was not stored, unless an heir has taken it and finished it since.
                if lostThread != nil, settled.count < batch.count,
                    try connection.query(SQL.isLiving, [.int(owner)]).isEmpty
                {
                    throw isDead
                }
                return settled
            }
        }
        do {
            return try await run(until: deadline, settle)
        } catch let error as StoreError {
            // Nothing could be read: the rows may be there or not.
            var error = error
            error.isOutcomeUnknown = lostThread != nil
            throw error
        }
    }
}

extension KnownID.Row {
    fileprivate init(_ row: MariaDBRow) throws {
        self.init(
            seq: try row.int(0), isHalf: try row.int(2) == Int64(StoredMessage.State.half.rawValue),
            topic: try row.text(3), messageType: try row.text(4), publisherGroup: try row.text(5),
            body: BodyMark(length: Int(try row.int(6)), crc: UInt32(truncatingIfNeeded: try row.int(7))))
    }
}

extension KnownID.Half {
    /// Nil where a later version wrote an outcome that this one does not know.
    fileprivate init?(_ row: MariaDBRow) throws {
        guard let outcome = UInt8(exactly: try row.int(1)).flatMap({ TransactionOutcome(rawValue: $0) }) else {
            return nil
        }
        self.init(
            outcome: outcome, publisherGroup: try row.text(2), connectionGroup: try row.text(3),
            subject: try row.values[4] == .null ? nil : UInt64(bitPattern: row.int(4)))
    }
}
