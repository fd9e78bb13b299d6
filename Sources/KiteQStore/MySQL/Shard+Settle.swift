import KiteQCore
import Logging
import MariaDB

/// Steps 8 and 9 of a message's way: what became of deliveries.
extension Shard {
    func settle(_ batch: [Settlement]) async throws -> [Int64] {
        let removals = batch.filter(\.isRemoval).map(\.seq).sorted()
        let others = batch.filter { !$0.isRemoval && !$0.isLate }.sorted { $0.seq < $1.seq }
        var progress = Progress()
        await remove(removals, &progress)
        await endLate(batch.filter(\.isLate).sorted { $0.seq < $1.seq }, &progress)
        for part in Self.parts(others) { await write(part, &progress) }
        guard let error = progress.error else { return progress.lost }
        throw progress.done.isEmpty ? error : PartlySettled(done: progress.done, lost: progress.lost, cause: error)
    }

    /// How far a batch has come.
    private struct Progress {
        var done: [Int64] = []
        /// Of these, those that were not this owner's any more.
        var lost: [Int64] = []
        /// Why the rest is not done.
        var error: (any Error)?
    }

    /// A transaction each, so that none copies too many messages.
    private static func parts(_ batch: [Settlement]) -> [[Settlement]] {
        var parts: [[Settlement]] = []
        var letters = 0
        for settlement in batch {
            let isFull = letters > 0 && letters + settlement.dead.count > lettersPerTransaction
            if parts.isEmpty || isFull {
                parts.append([])
                letters = 0
            }
            parts[parts.count - 1].append(settlement)
            letters += settlement.dead.count
        }
        return parts
    }

    /// Sorted primary keys, each piece its own transaction: nothing ties them together.
    private func remove(_ seqs: [Int64], _ progress: inout Progress) async {
        guard !seqs.isEmpty else { return }
        let owner = incarnation
        await settling(seqs, seq: { $0 }, &progress) { seqs, connection in
            let list = seqs.map { MariaDBValue.int($0) }
            let removed = try connection.execute(SQL.removeMessages, list: list, after: [.int(owner)])
            guard removed < seqs.count else { return [] }
            var left: [Int64] = []
            try connection.query(SQL.existing, list: list) { left.append(try $0.int(0)) }
            return left
        }
    }

    private func write(_ batch: [Settlement], _ progress: inout Progress) async {
        let owner = incarnation
        await settling(batch, seq: \.seq, &progress) { [self] batch, connection in
            try connection.transaction {
                let mine = try Self.lockOwn(batch, owner: owner, on: connection)
                try Self.apply(mine, owner: owner, now: now, on: connection)
                let kept = Set(mine.map(\.seq))
                return batch.map(\.seq).filter { !kept.contains($0) }
            }
        }
    }

    /// Groups that handled messages after their attempts had been given up.
    private func endLate(_ batch: [Settlement], _ progress: inout Progress) async {
        guard !batch.isEmpty else { return }
        await settling(batch, seq: \.seq, &progress) { batch, connection in
            try connection.transaction {
                let seqs = batch.map { MariaDBValue.int($0.seq) }
                try connection.query(SQL.lockMessages, list: seqs) { _ in }
                var byGroup: [String: [MariaDBValue]] = [:]
                for settlement in batch {
                    for group in settlement.late { byGroup[group, default: []].append(.int(settlement.seq)) }
                }
                for (group, seqs) in byGroup.sorted(by: { $0.key < $1.key }) {
                    try connection.execute(SQL.deleteDeliveries, list: seqs, after: [.text(group)])
                    try connection.execute(SQL.retractLetters, list: seqs, after: [.text(group)])
                }
                try connection.execute(SQL.deleteFinished, list: seqs)
                return []
            }
        }
    }

    /// Locks the message rows, ascending, and gives those settlements back whose message (while fresh) or whose groups' rows
    /// (once tracked) are this owner's.
    private static func lockOwn(
        _ batch: [Settlement], owner: Int64, on connection: isolated MariaDBConnection
    ) throws -> [Settlement] {
        var rows: [Int64: (state: Int64, owner: Int64)] = [:]
        try connection.query(SQL.lockMessages, list: batch.map { .int($0.seq) }) { row in
            rows[try row.int(0)] = (try row.int(1), try row.int(2))
        }
        var own: Set<HeldDelivery> = []
        let tracked = batch.filter { $0.wasTracked && rows[$0.seq] != nil }
        try connection.query(SQL.ownDeliveries, list: tracked.map { .int($0.seq) }, after: [.int(owner)]) { row in
            own.insert(HeldDelivery(seq: try row.int(0), group: try row.text(1), attempts: 0))
        }
        return batch.filter { settlement in
            guard let row = rows[settlement.seq] else { return false }
            guard settlement.wasTracked else {
                return row.state == Int64(StoredMessage.State.fresh.rawValue) && row.owner == owner
            }
            return settlement.groups.allSatisfy {
                own.contains(HeldDelivery(seq: settlement.seq, group: $0, attempts: 0))
            }
        }
    }

    /// With the message rows locked.
    private static func apply(
        _ batch: [Settlement], owner: Int64, now: Timestamp, on connection: isolated MariaDBConnection
    ) throws {
        for settlement in batch {
            for dead in settlement.dead {
                try connection.execute(
                    SQL.bury,
                    [
                        .text(dead.group), .int(Int64(dead.reason.rawValue)), .int(dead.attempts), text(dead.lastError),
                        .int(now),
                        .int(settlement.seq),
                    ])
            }
        }
        if batch.contains(where: { !$0.dead.isEmpty }) { CrashPoint.reached(.burying) }
        var finished: [String: [Int64]] = [:]
        for settlement in batch where settlement.wasTracked {
            for group in settlement.done + settlement.dead.map(\.group) {
                finished[group, default: []].append(settlement.seq)
            }
        }
        for (group, seqs) in finished.sorted(by: { $0.key < $1.key }) {
            try connection.execute(SQL.deleteDeliveries, list: seqs.map { .int($0) }, after: [.text(group)])
        }
        var rows = MariaDBBatch([.int, .bytes, .int, .int, .bytes, .int])
        for settlement in batch {
            for pending in settlement.pending {
                rows.append(settlement.seq)
                rows.append(pending.group)
                rows.append(Int64(pending.attempts))
                rows.append(pending.dueAt)
                if let error = pending.lastError { rows.append(cut(error)) } else { rows.appendNull() }
                rows.append(pending.isHeld ? owner : 0)
            }
        }
        if rows.count > 0 { try connection.insert(into: SQL.upsertDeliveries, rows, tail: SQL.overwriteDelivery) }
        if rows.count > 0 { CrashPoint.reached(.tracking) }
        let tracked = batch.filter { !$0.wasTracked && !$0.pending.isEmpty }.map { MariaDBValue.int($0.seq) }
        try connection.execute(SQL.trackMessages, list: tracked, after: [.int(owner)])
        let ended = batch.filter { !$0.wasTracked && $0.pending.isEmpty }.map { MariaDBValue.int($0.seq) }
        try connection.execute(SQL.removeMessages, list: ended, after: [.int(owner)])
        // Whether anybody is still owed a tracked message is the database's to say: its rows are locked.
        let perhapsEnded = batch.filter { $0.wasTracked && $0.pending.isEmpty }.map { MariaDBValue.int($0.seq) }
        try connection.execute(SQL.deleteFinished, list: perhapsEnded)
    }

    /// Runs a batch; where the server does not take it, each half for itself, so that one row does not hold up the others. One
    /// whose data the server refuses is given up: it counts as not this owner's any more.
    private func settling<Item: Sendable>(
        _ batch: [Item], seq: @Sendable (Item) -> Int64, _ progress: inout Progress,
        _ body: @escaping @Sendable ([Item], isolated MariaDBConnection) throws -> [Int64]
    ) async {
        do {
            progress.lost += try await run(retryingLockWaits: false) { try body(batch, $0) }
            progress.done += batch.map(seq)
        } catch let error as StoreError {
            guard let cause = error.underlying as? MariaDBError, !cause.isConnectionLost, error.code != .refusesWrites
            else { return progress.error = error }
            if batch.count > 1 {
                let half = batch.count / 2
                await settling(Array(batch[..<half]), seq: seq, &progress, body)
                await settling(Array(batch[half...]), seq: seq, &progress, body)
            } else if cause.isDataError {
                logger.error(
                    "cannot write what became of a message, giving up, its groups may get it again: \(error); please report this",
                    metadata: ["seq": "\(seq(batch[0]))", "settlement": "\(batch[0])"])
                progress.lost.append(seq(batch[0]))
                progress.done.append(seq(batch[0]))
            } else {
                progress.error = error
            }
        } catch {
            progress.error = error
        }
    }

    static func text(_ text: String?) -> MariaDBValue { text.map { .bytes(Array(cut($0).utf8)) } ?? .null }

    /// The column has room for 255 characters of any kind.
    private static func cut(_ text: String) -> String { String(text.unicodeScalars.prefix(255).map(Character.init)) }
}
