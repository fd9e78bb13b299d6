import KiteQCore
import MariaDB

/// Giving dead letters back, and deleting them.
///
/// Locks are taken in this order: dead letters by id, the half message's transaction, the message. A broker that buries a
/// message takes the message first; it meets the letter only where it buries the same (seq, group) again, and then one of the
/// two is told of a deadlock and begins anew.
extension Shard {
    /// Makes `groups` be owed the message of a letter, and deletes the letter, in one transaction. A broker that has a client
    /// of such a group finds the delivery row: it is due, and nobody's.
    ///
    /// - Parameters:
    ///   - groups: of a letter that is not undecided, its own group alone.
    ///   - lifetime: from now, in milliseconds; nil: as long as the message was to live at first.
    func requeue(_ letter: Int64, to groups: [String], lifetime: Timestamp?) async throws -> RequeueOutcome {
        let (outcome, isRepeat) = try await repeatably { [number] connection in
            try Self.requeue(letter, shard: number, to: groups, lifetime, on: connection)
        }
        // The commit whose reply was lost did it; that somebody else did, within the same moment, comes to the same.
        return outcome == .notFound && isRepeat ? .requeued(groups: groups) : outcome
    }

    /// Letters that one transaction deletes.
    private static let lettersAtOnce = 64

    /// Deletes letters, an undecided one as rolled back, in transactions of a bounded size. Returns those that were there.
    /// - Throws: where some are not deleted; others may be.
    func deleteDeadLetters(_ letters: [Int64]) async throws -> Set<Int64> {
        var deleted: Set<Int64> = []
        var refusals = Refusals()
        var refused: (any Error)?
        for some in Set(letters).sorted().pieces(bytes: .max, rows: Self.lettersAtOnce, size: { _ in 0 }) {
            let sizes = try await run(on: operatorPool) { connection in
                var sizes: [Int64: Int] = [:]
                try connection.query(DeadLetterSQL.sizes, list: some.map { .int($0) }) {
                    sizes[try $0.int(0)] = Int(try $0.int(1))
                }
                return sizes
            }
            for piece in some.pieces(bytes: Self.transactionBytes, size: { sizes[$0] ?? 0 }) {
                try await inParts(piece, "delete dead letters", &refusals) { part in
                    do {
                        deleted.formUnion(try await deletePiece(part))
                    } catch let error as StoreError where part.count == 1 && Self.mayPassInParts(error) {
                        // The others go first.
                        refused = error
                    }
                }
            }
        }
        if let refused { throw refused }
        return deleted
    }

    private func deletePiece(_ letters: [Int64]) async throws -> Set<Int64> {
        let list = letters.map { MariaDBValue.int($0) }
        let (deleted, isRepeat) = try await repeatably { connection in
            var found: Set<Int64> = []
            var parked: [MariaDBValue] = []
            try connection.query(DeadLetterSQL.lockAll, list: list) { row in
                found.insert(try row.int(0))
                if try row.int(2) == Int64(DeadLetterReason.undecided.rawValue) { parked.append(.int(try row.int(1))) }
            }
            if !parked.isEmpty {
                try connection.execute(
                    DeadLetterSQL.decideParked, list: parked,
                    before: [
                        .int(Int64(TransactionOutcome.rolledBack.rawValue)), .int(try Self.serverTime(on: connection)),
                    ])
            }
            try connection.execute(DeadLetterSQL.delete, list: list)
            return found
        }
        return isRepeat ? Set(letters) : deleted
    }

    // MARK: The transaction

    private static func requeue(
        _ id: Int64, shard: Int, to groups: [String], _ lifetime: Timestamp?, on connection: isolated MariaDBConnection
    ) throws -> RequeueOutcome {
        guard let row = try connection.query(DeadLetterSQL.lock, [.int(id)]).first else { return .notFound }
        let letter = try DeadLetter(row, shard: shard)
        let isUndecided = letter.reason == .undecided
        if isUndecided, let answer = try otherAnswer(to: letter, on: connection) {
            return .refused("its producer has said \(answer) meanwhile; delete it")
        }
        let state = try connection.query(DeadLetterSQL.lockMessage, [.int(letter.seq)]).first.map { try $0.int(0) }
        if let state, state != Int64(StoredMessage.State.tracked.rawValue) || isUndecided {
            return .refused("message \(letter.messageID) is still on its way to all of its groups; try again later")
        }
        // One with the letter's own seq came between the two looks: a letter of another of its groups was requeued. To insert it is
        // a duplicate then, and all is looked at again.
        if state == nil,
            let other = try connection.query(DeadLetterSQL.seqOfMessage, [letter.messageID.value]).first?.int(0),
            other != letter.seq
        {
            return .refused(
                "message \(letter.messageID) was published again and is on its way as seq \(other); try again when that is done, or delete this letter"
            )
        }

        let now = try serverTime(on: connection)
        let expiresAt = now + (lifetime ?? letter.lifetime)
        if state == nil {
            try connection.execute(DeadLetterSQL.restoreMessage, [.int(expiresAt), .int(id)])
        } else {
            // Other groups wait for it: their time is made longer, never shorter.
            let least = lifetime == nil ? now + DeadLetter.shortestLife : expiresAt
            try connection.execute(DeadLetterSQL.raiseExpiry, [.int(expiresAt), .int(letter.seq), .int(least)])
        }
        try connection.insert(
            into: DeadLetterSQL.insertDeliveries, deliveries(letter.seq, groups, dueAt: now),
            tail: DeadLetterSQL.keepDelivery)
        if isUndecided {
            try connection.execute(
                DeadLetterSQL.decideParked, list: [.int(letter.seq)],
                before: [.int(Int64(TransactionOutcome.committed.rawValue)), .int(now)])
        }
        try connection.execute(DeadLetterSQL.delete, list: [.int(id)])
        return .requeued(groups: groups)
    }

    /// What was answered to a parked half message after all; nil where nothing was, or it is not remembered any more.
    private static func otherAnswer(
        to letter: DeadLetter, on connection: isolated MariaDBConnection
    ) throws -> String? {
        guard let outcome = try connection.query(DeadLetterSQL.lockTransaction, [.int(letter.seq)]).first?.int(0) else {
            return nil
        }
        switch UInt8(exactly: outcome).flatMap({ TransactionOutcome(rawValue: $0) }) {
        case .parked: return nil
        case .committed: return "commit"
        case .rolledBack: return "roll back"
        case .undecided, nil:
            throw StoreError(.failed, "dead letter \(letter.id) has a transaction with outcome \(outcome)")
        }
    }

    static func deliveries(_ seq: Int64, _ groups: [String], dueAt: Timestamp) -> MariaDBBatch {
        var rows = MariaDBBatch([.int, .bytes, .int, .int, .int])
        for group in groups {
            rows.append(seq)
            rows.append(group)
            rows.append(0)
            rows.append(dueAt)
            rows.append(0)
        }
        return rows
    }

    // MARK: Again

    private static let repetitions = 5

    /// Runs a transaction that looks, with locks, at all that it changes: it may be run again where a key was taken by another
    /// one that ran at the same time, and where the reply to its commit was lost (`isRepeat`: it may have been done already).
    func repeatably<Result: Sendable>(
        _ body: @escaping @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> (result: Result, isRepeat: Bool) {
        var isRepeat = false
        var failures = 0
        while true {
            do {
                let result = try await run(on: operatorPool) { connection in
                    try connection.transaction { try body(connection) }
                }
                return (result, isRepeat)
            } catch let error as StoreError {
                guard let cause = error.underlying as? MariaDBError, failures < Self.repetitions,
                    cause.isDuplicateKey || cause.isCommitOutcomeUnknown
                else { throw error }
                failures += 1
                if cause.isCommitOutcomeUnknown {
                    isRepeat = true
                    // Its transaction must be over before it is looked at.
                    if let thread = cause.thread { try await run(on: operatorPool) { try $0.kill(thread) } }
                }
            }
        }
    }
}
