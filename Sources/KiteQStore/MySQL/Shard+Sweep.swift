import KiteQCore
import MariaDB

/// What nobody will come for: expired messages of groups that are away, decided transactions, old dead letters, dead
/// incarnations. Bounded pages; a sweep over all takes as many as it takes.
extension Shard {
    func expiredFresh(
        after cursor: SweepCursor?, now: Timestamp, limit: Int
    ) async throws -> (expired: [ExpiredMessage], next: SweepCursor?) {
        try await run { [self] connection in
            let owners = ([incarnation] + (try Self.deadWithMessages(on: connection))).sorted()
            var place = cursor ?? SweepCursor(owner: owners[0], route: Route.halfID, seq: .max)
            var expired: [ExpiredMessage] = []
            var room = limit
            while room > 0 {
                let page =
                    place.route > Route.halfID
                    ? try connection.query(
                        SQL.expiries, [.int(place.owner), .int(place.route), .int(place.seq), .int(room)]) : []
                let over = try page.filter { try $0.int(1) <= now }.map { try $0.int(0) }
                if !over.isEmpty, let route = try routeIfThere(place.route, on: connection) {
                    let own = try own(over, of: place.owner, on: connection)
                    for (seq, name) in try names(own, on: connection).sorted(by: { $0.key < $1.key }) {
                        expired.append(ExpiredMessage(seq: seq, route: route, id: name.id, topic: name.topic))
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

    /// Which messages these are, for people; those that are gone are left out.
    private func names(
        _ seqs: [Int64], on connection: isolated MariaDBConnection
    ) throws -> [Int64: (id: MessageID, topic: String)] {
        try Self.names(seqs.map { .int($0) }, on: connection)
    }

    private static func names(
        _ seqs: [MariaDBValue], on connection: isolated MariaDBConnection
    ) throws -> [Int64: (id: MessageID, topic: String)] {
        var names: [Int64: (id: MessageID, topic: String)] = [:]
        try connection.query(SQL.names, list: seqs) { row in
            names[try row.int(0)] = (try row.id(1), try row.text(2))
        }
        return names
    }

    private func own(_ seqs: [Int64], of owner: Int64, on connection: isolated MariaDBConnection) throws -> [Int64] {
        owner == incarnation || seqs.isEmpty ? seqs : try claim(seqs, from: owner, on: connection)
    }

    func buryExpiredDeliveries(
        after seq: Int64, now: Timestamp, limit: Int
    ) async throws -> (buried: [ExpiredDelivery], next: Int64?) {
        let page = try await run { connection in
            try connection.query(SQL.deliveryExpiries, [.int(seq), .int(limit)]).map {
                (seq: try $0.int(0), expiresAt: try $0.int(1))
            }
        }
        let expired = Set(page.lazy.filter { $0.expiresAt <= now }.map(\.seq)).sorted()
        var buried: [ExpiredDelivery] = []
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
    ) throws -> [ExpiredDelivery] {
        try connection.transaction {
            var list: [MariaDBValue] = []
            try connection.query(SQL.lockMessages, list: seqs.map { .int($0) }) { row in
                // Somebody may have given it more time since it was looked at.
                if try row.int(3) <= now { list.append(.int(try row.int(0))) }
            }
            var byGroup: [String: [MariaDBValue]] = [:]
            var rows: [MariaDBRow] = []
            var buried: [ExpiredDelivery] = []
            let names = try names(list, on: connection)
            try connection.query(SQL.freeDeliveries, list: list) { rows.append($0) }
            for row in rows {
                if let name = names[try row.int(0)] {
                    buried.append(ExpiredDelivery(id: name.id, topic: name.topic, group: try row.text(1)))
                }
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
            return buried
        }
    }

    func purge(decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int) async throws -> Int {
        try await run { connection in
            var gone = 0
            for outcome in [TransactionOutcome.committed, .rolledBack, .parked] {
                gone += try connection.execute(
                    SQL.purgeTransactions, [.int(Int64(outcome.rawValue)), .int(decidedBefore), .int(limit)]
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
