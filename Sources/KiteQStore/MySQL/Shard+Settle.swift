import KiteQCore
import Logging
import MariaDB
import Synchronization

/// Steps 8 and 9 of a message's way: what became of deliveries.
extension Shard {
    func settle(_ batch: [Settlement]) async throws -> [Int64] {
        let unsized = batch.filter { $0.bytes == nil && !$0.isLate }.map(\.seq).sorted()
        let asked = try await sizes(of: unsized)
        let sized = batch.filter { !$0.isLate }.map { settlement in
            Sized(settlement: settlement, messageBytes: settlement.bytes ?? asked[settlement.seq] ?? 0)
        }.sorted { $0.settlement.seq < $1.settlement.seq }
        var progress = Progress()
        await remove(sized.filter(\.settlement.isRemoval), &progress)
        await write(sized.filter { !$0.settlement.isRemoval }, &progress)
        await endLate(batch.filter(\.isLate).sorted { $0.seq < $1.seq }, &progress)
        guard let error = progress.error else { return progress.lost }
        let isUntouched = progress.done.isEmpty && progress.begun.isEmpty && progress.stuck.isEmpty
        throw isUntouched
            ? error
            : PartlySettled(
                done: progress.done, lost: progress.lost, begun: progress.begun, stuck: progress.stuck, cause: error)
    }

    private struct Sized: Sendable {
        var settlement: Settlement
        var messageBytes: Int
        var bytes: Int { settlement.writtenBytes(message: messageBytes) }

        /// How many of its letters a transaction takes.
        var lettersAtOnce: Int { max(1, (Shard.transactionBytes - 2 * messageBytes) / max(1, messageBytes)) }
    }

    /// How far a batch has come.
    private struct Progress {
        var done: [Int64] = []
        /// Of these, those that were not this owner's any more.
        var lost: [Int64] = []
        /// What is left of those that are written in part.
        var begun: [Settlement] = []
        /// Those that the server did not take, each tried alone.
        var stuck: [Int64] = []
        /// Why the rest is not done.
        var error: (any Error)?
        /// The rest need not be tried: it would fail for the same reason.
        var isOver = false
        /// Refused one after the other, each tried alone.
        private var refusals = 0

        /// So many in a row are not the messages' own fault.
        private static let mostRefusals = 8

        mutating func passed(_ seqs: [Int64], lost: [Int64]) {
            done += seqs
            self.lost += lost
            refusals = 0
        }

        mutating func refused(_ seq: Int64, _ error: any Error) {
            stuck.append(seq)
            self.error = error
            refusals += 1
            if refusals >= Self.mostRefusals { isOver = true }
        }

        /// Somebody holds them: that says nothing of the others.
        mutating func areLocked(_ seqs: Set<Int64>, _ error: any Error) {
            stuck += seqs.sorted()
            self.error = error
        }

        mutating func ended(by error: any Error) {
            self.error = error
            isOver = true
        }
    }

    /// Sorted primary keys, each piece its own transaction: nothing ties them together.
    private func remove(_ batch: [Sized], _ progress: inout Progress) async {
        let owner = incarnation
        for piece in batch.pieces(bytes: Self.transactionBytes, size: \.bytes) {
            await settling(piece.map(\.settlement), &progress) { batch, connection in
                let list = batch.map { MariaDBValue.int($0.seq) }
                let removed = try connection.execute(SQL.removeMessages, list: list, after: [.int(owner)])
                guard removed < batch.count else { return [] }
                var left: [Int64] = []
                try connection.query(SQL.existing, list: list) { left.append(try $0.int(0)) }
                return left
            }
        }
    }

    /// Each piece in a transaction; one whose letters are too many for that, in steps.
    private func write(_ batch: [Sized], _ progress: inout Progress) async {
        let isLarge: (Sized) -> Bool = { $0.settlement.dead.count > 1 && $0.bytes > Self.transactionBytes }
        for piece in batch.filter({ !isLarge($0) }).pieces(bytes: Self.transactionBytes, size: \.bytes) {
            await settling(piece.map(\.settlement), &progress) { try self.write($0, on: $1) }
        }
        for large in batch where isLarge(large) {
            await writeInSteps(large.settlement, letters: large.lettersAtOnce, &progress)
        }
    }

    private func write(
        _ batch: [Settlement], on connection: isolated MariaDBConnection
    ) throws -> [Int64] {
        let owner = incarnation
        let now = now
        let mine = try connection.transaction {
            let mine = try Self.lockOwn(batch, owner: owner, on: connection)
            try Self.apply(mine, owner: owner, now: now, on: connection)
            return mine
        }
        if mine.contains(where: { !$0.pending.isEmpty }) { marks.withLock { $0.places.written(mine) } }
        let kept = Set(mine.map(\.seq))
        return batch.map(\.seq).filter { !kept.contains($0) }
    }

    /// One message's, with fewer letters in a step where the server takes no more.
    private func writeInSteps(_ settlement: Settlement, letters: Int, _ progress: inout Progress) async {
        guard !progress.isOver else { return }
        let steps = settlement.steps(letters: letters)
        var lost: [Int64] = []
        for (index, step) in steps.enumerated() {
            do {
                lost = try await run(retryingLockWaits: false) { try self.write([step], on: $0) }
            } catch {
                let rest = Settlement(rest: steps[index...]) ?? settlement
                if mayTrySmaller(error), step.dead.count > 1 {
                    return await writeInSteps(rest, letters: step.dead.count / 2, &progress)
                }
                progress.begun.append(rest)
                return end(step, error, &progress)
            }
        }
        progress.passed([settlement.seq], lost: lost)
    }

    /// Groups that handled messages after their attempts had been given up: their rows end, and their dead letters, a few at a time,
    /// for these have the messages' bytes.
    private func endLate(_ batch: [Settlement], _ progress: inout Progress) async {
        for start in stride(from: 0, to: batch.count, by: Self.lettersAtOnce) {
            let some = Array(batch[start..<min(start + Self.lettersAtOnce, batch.count)])
            await settling(some, &progress) { batch, connection in
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
    }

    /// Of at most 2 MiB each.
    private static var lettersAtOnce: Int { 8 }

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

    /// Runs a batch; where the server does not take it, each half for itself, so that one row does not hold up the others.
    ///
    /// - Parameter body: returns the seqs that are not this owner's.
    private func settling(
        _ batch: [Settlement], _ progress: inout Progress,
        _ body: @escaping @Sendable ([Settlement], isolated MariaDBConnection) throws -> [Int64]
    ) async {
        guard !progress.isOver, !batch.isEmpty else { return }
        do {
            let lost = try await run(retryingLockWaits: false) { try body(batch, $0) }
            progress.passed(batch.map(\.seq), lost: lost)
        } catch {
            guard mayTrySmaller(error) else { return end(batch[0], error, &progress) }
            if batch.count > 1 {
                let locked = await locked(among: batch, error, &progress)
                guard locked.isEmpty else {
                    progress.areLocked(locked, error)
                    return await settling(batch.filter { !locked.contains($0.seq) }, &progress, body)
                }
                let half = batch.count / 2
                await settling(Array(batch[..<half]), &progress, body)
                await settling(Array(batch[half...]), &progress, body)
            } else if batch[0].dead.count > 1 {
                await writeInSteps(batch[0], letters: batch[0].dead.count / 2, &progress)
            } else {
                end(batch[0], error, &progress)
            }
        }
    }

    /// After a batch that waited for a lock in vain: those whose message somebody has locked, found without waiting for each.
    private func locked(
        among batch: [Settlement], _ error: any Error, _ progress: inout Progress
    ) async -> Set<Int64> {
        guard ((error as? StoreError)?.underlying as? MariaDBError)?.isLockWaitTimeout == true else { return [] }
        let list = batch.map { MariaDBValue.int($0.seq) }
        do {
            return try await run(retryingLockWaits: false) { connection in
                var locked: Set<Int64> = []
                try connection.query(SQL.existing, list: list) { locked.insert(try $0.int(0)) }
                try connection.query(SQL.freeMessages, list: list) { locked.remove(try $0.int(0)) }
                return locked
            }
        } catch {
            if !mayTrySmaller(error) { progress.ended(by: error) }
            return []
        }
    }

    /// Whether a smaller batch may be taken: not where there is no connection, or where the server takes no writes at all.
    private func mayTrySmaller(_ error: any Error) -> Bool {
        guard let cause = (error as? StoreError)?.underlying as? MariaDBError else { return false }
        return !cause.isConnectionLost && !cause.isReadOnly
    }

    /// One settlement did not pass alone. One whose data the server refuses is given up: it counts as not this owner's any more.
    private func end(_ settlement: Settlement, _ error: any Error, _ progress: inout Progress) {
        guard mayTrySmaller(error), let cause = (error as? StoreError)?.underlying as? MariaDBError else {
            return progress.ended(by: error)
        }
        if cause.isDataError, !cause.isTooLarge {
            logger.error(
                "cannot write what became of a message, giving up, its groups may get it again: \(error); please report this",
                metadata: ["seq": "\(settlement.seq)", "settlement": "\(settlement)"])
            return progress.passed([settlement.seq], lost: [settlement.seq])
        }
        progress.refused(settlement.seq, error)
        // Where even one finds no room there is none for the others.
        if cause.isDiskFull { progress.isOver = true }
    }

    static func text(_ text: String?) -> MariaDBValue { text.map { .bytes(Array(cut($0).utf8)) } ?? .null }

    /// The column has room for 255 characters of any kind.
    private static func cut(_ text: String) -> String { String(text.unicodeScalars.prefix(255).map(Character.init)) }
}
