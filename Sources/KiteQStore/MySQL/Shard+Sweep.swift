import KiteQCore
import MariaDB

/// What nobody will come for: expired messages of groups that are away, decided transactions, old dead letters, dead
/// incarnations. Bounded pages; a sweep over all takes as many as it takes.
extension Shard {
    func expiredFresh(
        after cursor: SweepCursor?, now: Timestamp, limit: Int
    ) async throws -> (expired: [FreshMessage], next: SweepCursor?) {
        try await run { [self] connection in
            let owners = ([incarnation] + (try Self.deadWithMessages(on: connection))).sorted()
            var place = cursor ?? SweepCursor(owner: owners[0], route: Route.halfID, seq: .max)
            var expired: [FreshMessage] = []
            var room = limit
            while room > 0 {
                let page =
                    place.route > Route.halfID
                    ? try connection.query(
                        SQL.expiries, [.int(place.owner), .int(place.route), .int(place.seq), .int(room)]) : []
                let over = try page.filter { try $0.int(1) <= now }.map { try $0.int(0) }
                if !over.isEmpty, let route = try routeIfThere(place.route, on: connection) {
                    expired += try own(over, of: place.owner, on: connection).map {
                        FreshMessage(seq: $0, route: route)
                    }
                }
                if let last = page.last { place.seq = try last.int(0) }
                room -= max(1, page.count)
                guard page.isEmpty || room > 0 else { break }
                // The route is done: the next one, or the next owner's first.
                if let next = try connection.query(SQL.nextRoute, [.int(place.owner), .int(place.route)]).first {
                    place = SweepCursor(owner: place.owner, route: try next.int(0), seq: 0)
                } else if let next = owners.first(where: { $0 > place.owner }) {
                    place = SweepCursor(owner: next, route: Route.halfID, seq: .max)
                } else {
                    return (expired, nil)
                }
            }
            return (expired, place)
        }
    }

    private func own(_ seqs: [Int64], of owner: Int64, on connection: isolated MariaDBConnection) throws -> [Int64] {
        owner == incarnation || seqs.isEmpty ? seqs : try claim(seqs, from: owner, on: connection)
    }

    func buryExpiredDeliveries(
        after seq: Int64, now: Timestamp, limit: Int
    ) async throws -> (buried: Int, next: Int64?) {
        let page = try await run { connection in
            try connection.query(SQL.deliveryExpiries, [.int(seq), .int(limit)]).map {
                (seq: try $0.int(0), expiresAt: try $0.int(1))
            }
        }
        let expired = Set(page.lazy.filter { $0.expiresAt <= now }.map(\.seq)).sorted()
        var buried = 0
        for start in stride(from: 0, to: expired.count, by: Self.lettersPerTransaction) {
            let some = Array(expired[start..<min(start + Self.lettersPerTransaction, expired.count)])
            buried += try await run { try Self.bury(some, now: now, on: $0) }
        }
        return (buried, page.count < limit ? nil : page.last?.seq)
    }

    /// Each copies its message, of up to 2 MiB: a transaction must stay below what replication takes.
    static let lettersPerTransaction = 16

    private static func bury(
        _ seqs: [Int64], now: Timestamp, on connection: isolated MariaDBConnection
    ) throws -> Int {
        try connection.transaction {
            var list: [MariaDBValue] = []
            try connection.query(SQL.lockMessages, list: seqs.map { .int($0) }) { row in
                // Somebody may have given it more time since it was looked at.
                if try row.int(3) <= now { list.append(.int(try row.int(0))) }
            }
            var byGroup: [String: [MariaDBValue]] = [:]
            var rows: [MariaDBRow] = []
            try connection.query(SQL.freeDeliveries, list: list) { rows.append($0) }
            for row in rows {
                byGroup[try row.text(1), default: []].append(.int(try row.int(0)))
                try connection.execute(
                    SQL.bury,
                    [
                        .text(try row.text(1)), .int(Int64(DeadLetterReason.expired.rawValue)), .int(try row.int(2)),
                        try row.optionalBytes(3).map { .bytes($0) } ?? .null, .int(now), .int(try row.int(0)),
                    ])
            }
            for (group, seqs) in byGroup.sorted(by: { $0.key < $1.key }) {
                try connection.execute(SQL.deleteDeliveries, list: seqs, after: [.text(group)])
            }
            try connection.execute(SQL.deleteFinished, list: list)
            return rows.count
        }
    }

    func purge(decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int) async throws -> Int {
        try await run { connection in
            var gone = 0
            // A parked one is undecided: a late answer has to find out who may give it for as long as its letter is there.
            for (outcome, before) in [
                (TransactionOutcome.committed, decidedBefore), (.rolledBack, decidedBefore),
                (.parked, deadLettersBefore),
            ] {
                gone += try connection.execute(
                    SQL.purgeTransactions, [.int(Int64(outcome.rawValue)), .int(before), .int(limit)]
                ).affectedRows
            }
            gone += try connection.execute(SQL.purgeDeadLetters, [.int(deadLettersBefore), .int(limit)]).affectedRows
            try Self.forgetDead(on: connection)
            return gone
        }
    }

    private static func forgetDead(on connection: isolated MariaDBConnection) throws {
        for row in try connection.query(SQL.longDead) {
            let number = try row.int(0)
            try connection.execute(SQL.deletePresenceOf, [.int(number)])
            try connection.execute(SQL.forgetIncarnation, [.int(number)])
        }
    }
}
