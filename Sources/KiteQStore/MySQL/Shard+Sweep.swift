import KiteQCore
import MariaDB
import Synchronization

/// What nobody will come for: expired messages of groups that are away, decided transactions, old dead letters, dead
/// incarnations. Bounded pages; a sweep over all takes as many as it takes.
extension Shard {
    func expiredFresh(
        after cursor: SweepCursor?, now: Timestamp, limit: Int
    ) async throws -> (expired: [ExpiredMessage], next: SweepCursor?) {
        let (expired, unrouted, next) = try await run { [self] connection in
            let owners = ([incarnation] + (try deadWithMessages(on: connection))).sorted()
            return try look(.freshRoutes) { isFull in
                var place = cursor ?? SweepCursor(owner: owners[0], route: Route.halfID, seq: .max)
                var expired: [ExpiredMessage] = []
                var unrouted: [Int64] = []
                var room = limit
                while room > 0 {
                    let page =
                        place.route > Route.halfID
                        ? try freshPage(
                            SQL.expiries, of: place.owner, place.route, above: place.seq, limit: room, isFull: isFull,
                            on: connection) : []
                    let over = try page.filter { try $0.int(1) <= now }.map { try $0.int(0) }
                    if !over.isEmpty {
                        let mine = try own(over, of: place.owner, place.route, on: connection)
                        if let route = try routeIfThere(place.route, on: connection) {
                            for (seq, name) in try names(mine, on: connection).sorted(by: { $0.key < $1.key }) {
                                expired.append(ExpiredMessage(seq: seq, route: route, id: name.id, topic: name.topic))
                            }
                        } else {
                            unrouted += mine
                        }
                    }
                    if let last = page.last { place.seq = try last.int(0) }
                    room -= max(1, page.count)
                    guard page.isEmpty || room > 0 else { break }
                    // The route is done: the next one, or the next owner's first.
                    if let next = try nextRoute(of: place.owner, after: place.route, isFull: isFull, on: connection) {
                        place = SweepCursor(owner: place.owner, route: next, seq: 0)
                    } else if let next = owners.first(where: { $0 > place.owner }) {
                        place = SweepCursor(owner: next, route: Route.halfID, seq: .max)
                    } else {
                        return (expired, unrouted, nil as SweepCursor?)
                    }
                }
                return (expired, unrouted, place)
            }
        }
        if !unrouted.isEmpty { try await buryUnrouted(unrouted, now: now) }
        return (expired, next)
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

    private func own(
        _ seqs: [Int64], of owner: Int64, _ route: RouteID, on connection: isolated MariaDBConnection
    ) throws -> [Int64] {
        guard owner != incarnation, !seqs.isEmpty else { return seqs }
        let sizes = try Self.sizes(of: seqs, on: connection)
        return try claim(seqs, routes: { _ in route }, sizes, from: owner, on: connection)
    }

    func buryExpiredDeliveries(
        after seq: Int64, now: Timestamp, limit: Int
    ) async throws -> (buried: [ExpiredDelivery], next: Int64?) {
        let page = try await run { [self] connection in
            try look(.expiring) { isFull in
                let above = isFull ? seq : max(seq, marks.withLock { $0.places.expiringAbove })
                let page = try connection.query(SQL.deliveryExpiries, [.int(above), .int(limit)]).map {
                    (seq: try $0.int(0), expiresAt: try $0.int(1))
                }
                if seq == 0 { marks.withLock { $0.places.lookedForExpiring(first: page.first?.seq, now: now) } }
                return page
            }
        }
        let expired = Set(page.lazy.filter { $0.expiresAt <= now }.map(\.seq)).sorted()
        let buried = try await bury(expired, now: now, bytes: Self.transactionBytes)
        return (buried, page.count < limit ? nil : page.last?.seq)
    }

    /// - Parameter onAnyServer: also where one server takes the writes, and leaves none.
    func removeUnowed(
        after seq: Int64, limit: Int, onAnyServer: Bool = false
    ) async throws -> (removed: Int, next: Int64?) {
        let (page, unowed): ([Int64], [MariaDBValue]) = try await run { connection in
            guard onAnyServer || connection.cluster?.hasSeveralWriters == true else { return ([], []) }
            let page = try connection.query(SQL.trackedAfter, [.int(seq), .int(limit)]).map { try $0.int(0) }
            var unowed = Set(page)
            try connection.query(SQL.owed, list: page.map { .int($0) }) { unowed.remove(try $0.int(0)) }
            return (page, unowed.sorted().map { MariaDBValue.int($0) })
        }
        let next = page.count < limit ? nil : page.last
        guard !unowed.isEmpty else { return (0, next) }
        // What was read may be over: under lock it is asked once more.
        let removed = try await run { connection in
            try connection.transaction {
                try connection.query(SQL.lockMessages, list: unowed) { _ in }
                return try connection.execute(SQL.deleteFinished, list: unowed)
            }
        }
        return (removed, next)
    }

    /// Buries what expired of messages' free deliveries, in transactions of at most so many bytes.
    private func bury(_ seqs: [Int64], now: Timestamp, bytes limit: Int) async throws -> [ExpiredDelivery] {
        let sizes = try await sizes(of: seqs)
        var buried: [ExpiredDelivery] = []
        var refusals = Refusals()
        for piece in seqs.pieces(bytes: limit, size: { 2 * (sizes[$0] ?? 0) }) {
            try await inParts(piece, "bury what expired", &refusals) { seqs in
                try await bury(seqs, sizes, now: now, bytes: limit, &buried)
            }
        }
        return buried
    }

    /// One message of many groups takes several transactions; where the server does not take those, with fewer letters each.
    private func bury(
        _ seqs: [Int64], _ sizes: [Int64: Int], now: Timestamp, bytes limit: Int, _ buried: inout [ExpiredDelivery]
    ) async throws {
        var limit = limit
        var isWhole = false
        while !isWhole {
            do {
                let bytes = limit
                let (letters, isAll) = try await run {
                    try Self.buryExpired(seqs, sizes, now: now, bytes: bytes, on: $0)
                }
                buried += letters
                isWhole = isAll
            } catch let error as StoreError where Self.mayPassInParts(error) && seqs.count == 1 {
                guard limit > sizes[seqs[0]] ?? 0 else { throw error }
                limit /= 2
            }
        }
    }

    /// One transaction, of at least one letter.
    /// - Returns: the letters, and whether these are all.
    private static func buryExpired(
        _ seqs: [Int64], _ sizes: [Int64: Int], now: Timestamp, bytes limit: Int,
        on connection: isolated MariaDBConnection
    ) throws -> (letters: [ExpiredDelivery], isAll: Bool) {
        try connection.transaction {
            var list: [MariaDBValue] = []
            try connection.query(SQL.lockMessages, list: seqs.map { .int($0) }) { row in
                // Somebody may have given it more time since it was looked at.
                if try row.int(3) <= now { list.append(.int(try row.int(0))) }
            }
            var rows: [MariaDBRow] = []
            var buried: [ExpiredDelivery] = []
            let names = try names(list, on: connection)
            try connection.query(SQL.freeDeliveries, list: list) { rows.append($0) }
            let all = rows.count
            rows = try rows.pieces(bytes: limit, size: { sizes[try $0.int(0)] ?? 0 }).first ?? []
            var byGroup: [String: [MariaDBValue]] = [:]
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
            return (buried, rows.count == all)
        }
    }

    func purge(decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int) async throws -> Int {
        let letters = try await purgeDeadLetters(before: deadLettersBefore, limit: limit)
        return try await run { [self] connection in
            var gone = letters
            // A parked one is undecided: a late answer has to find out who may give it for as long as its letter is there.
            for (outcome, before) in [
                (TransactionOutcome.committed, decidedBefore), (.rolledBack, decidedBefore),
                (.parked, deadLettersBefore),
            ] {
                gone += try purge(outcome, before: before, limit: limit, on: connection)
            }
            try Self.forgetDead(on: connection)
            return gone
        }
    }

    /// Transactions are deleted in the order of their times, so that what was deleted lies before the mark.
    private func purge(
        _ outcome: TransactionOutcome, before time: Timestamp, limit: Int, on connection: isolated MariaDBConnection
    ) throws -> Int {
        let code = MariaDBValue.int(Int64(outcome.rawValue))
        let rows = try look(.purge) { isFull in
            let from = isFull ? .min : marks.withLock { $0.places.decidedFrom(outcome) }
            return try connection.query(SQL.oldTransactions, [code, .int(from), .int(time), .int(limit)])
        }
        var gone = 0
        var refusals = Refusals()
        let seqs = try rows.map { try $0.int(0) }.sorted()
        try inParts(seqs, "forget the decided transaction of", &refusals, on: connection) { part in
            let list = part.map { MariaDBValue.int($0) }
            gone += try connection.execute(SQL.purgeTransactions, list: list, after: [code, .int(time)])
        }
        guard refusals.count == 0 else { return gone }
        let last = rows.count < limit ? time : try rows.last?.int(1) ?? time
        marks.withLock { $0.places.purged(outcome, upTo: last, now: now) }
        return gone
    }

    /// Letters whose size is asked for at once.
    private static let lettersAtOnce = 64

    /// A letter that goes is logged with its body: they go by their sizes. One that the server does not let go alone is passed
    /// over.
    private func purgeDeadLetters(before time: Timestamp, limit: Int) async throws -> Int {
        var gone = 0
        var refusals = Refusals()
        var place: (diedAt: Timestamp, id: Int64)?
        while gone < limit {
            let rows = min(Self.lettersAtOnce, limit - gone)
            let behind = place
            let page = try await run { [self] connection in
                try look(.purge) { isFull in
                    let head = isFull ? .min : marks.withLock { $0.places.lettersFrom }
                    let from = MariaDBValue.int(behind?.diedAt ?? head)
                    let values = [from, .int(behind?.id ?? .min), from, .int(time), .int(rows)]
                    return try connection.query(SQL.oldDeadLetters, values).map {
                        (diedAt: try $0.int(0), id: try $0.int(1), bytes: Int(try $0.int(2)))
                    }
                }
            }
            for piece in page.pieces(bytes: Self.transactionBytes, size: \.bytes) {
                try await inParts(piece.map(\.id).sorted(), "delete old dead letters", &refusals) { ids in
                    gone += try await run { try $0.execute(DeadLetterSQL.delete, list: ids.map { .int($0) }) }
                }
            }
            guard page.count == rows, let last = page.last else {
                if refusals.count == 0 { marks.withLock { $0.places.purgedLetters(upTo: time, now: now) } }
                break
            }
            place = (last.diedAt, last.id)
            if refusals.count == 0 { marks.withLock { $0.places.purgedLetters(upTo: last.diedAt, now: now) } }
        }
        return gone
    }

    private static func forgetDead(on connection: isolated MariaDBConnection) throws {
        for row in try connection.query(SQL.longDead) {
            let number = try row.int(0)
            try removePresence(of: number, on: connection)
            try connection.execute(SQL.forgetIncarnation, [.int(number)])
        }
    }
}
