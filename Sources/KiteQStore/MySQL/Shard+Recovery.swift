import KiteQCore
import MariaDB

/// What waits in a shard: keys by ranges of an index, then messages by primary key.
extension Shard {
    func freshBacklog(of group: String, after: Int64, limit: Int) async throws -> [Int64] {
        try await run { [incarnation] connection in
            let owners = [incarnation] + (try Self.deadIncarnations(on: connection))
            let routes = try connection.query(SQL.routesOf, [.text(group)]).map { try $0.int(0) }
            var seqs: [Int64] = []
            for owner in owners {
                for route in routes {
                    seqs += try connection.query(
                        SQL.freshBacklog, [.int(owner), .int(route), .int(after), .int(limit)]
                    ).map { try $0.int(0) }
                }
                // Each range gives its first ones: beyond the limit of all together none is wanted.
                if seqs.count > limit { seqs = Array(seqs.sorted().prefix(limit)) }
            }
            return seqs.sorted()
        }
    }

    func deliveries(of group: String, in range: DeliveryRange, limit: Int) async throws -> DeliveryPage {
        try await run { [incarnation] connection in
            let owners = Set([incarnation] + (try Self.deadIncarnations(on: connection)))
            let found: [MariaDBRow]
            switch range {
            case .waiting(let after):
                found = try connection.query(SQL.waitingDeliveries, [.text(group), .int(after), .int(limit)])
            case .due(let now, let after):
                // From 1: rows with due_at 0 wait for their group, not for a time.
                found = try connection.query(
                    SQL.dueDeliveries,
                    [
                        .text(group), .int(max(1, after.dueAt)), .int(now), .int(after.dueAt), .int(after.seq),
                        .int(limit),
                    ])
            }
            var page = DeliveryPage(rows: [], next: nil)
            for row in found where owners.contains(try row.int(3)) {
                page.rows.append(
                    DeliveryPage.Row(seq: try row.int(0), attempts: Int(try row.int(1)), dueAt: try row.int(2)))
            }
            if found.count >= limit, let last = found.last {
                page.next = DeliveryCursor(dueAt: try last.int(2), seq: try last.int(0))
            }
            return page
        }
    }

    func load(_ seqs: [Int64]) async throws -> [StoredMessage] {
        guard !seqs.isEmpty else { return [] }
        return try await run { [self] connection in
            let rows = try ownedRows(Array(Set(seqs)).sorted(), on: connection)
            var deliveries: [Int64: [StoredMessage.Delivery]] = [:]
            let tracked = try rows.filter { try $0.int(1) == Int64(StoredMessage.State.tracked.rawValue) }
            try connection.query(SQL.loadDeliveries, list: try tracked.map { .int(try $0.int(0)) }) { row in
                let delivery = StoredMessage.Delivery(
                    group: try row.text(1), attempts: Int(try row.int(2)), dueAt: try row.int(3))
                // A list is filled up by repeating its last value: the rows come once all the same.
                deliveries[try row.int(0), default: []].append(delivery)
            }
            return try rows.compactMap { row in
                let seq = try row.int(0)
                guard let state = UInt8(exactly: try row.int(1)).flatMap({ StoredMessage.State(rawValue: $0) }),
                    state != .half
                else { return nil }
                let route = state == .fresh ? try self.route(try row.int(2), on: connection) : Route([])
                return StoredMessage(
                    seq: seq, message: try row.message(4, hasBody: true), state: state, route: route,
                    deliveries: deliveries[seq] ?? [])
            }
        }
    }

    private func route(_ id: Int64, on connection: isolated MariaDBConnection) throws -> Route {
        if let known = knownRoute(id) { return known }
        let route = try Self.readRoute(id, on: connection)
        guard !route.members.isEmpty else {
            throw StoreError(.failed, "route \(id) of a message in shard \(number) is not in kite_route")
        }
        remember(route)
        return route
    }

    /// The rows that are this incarnation's, or become so because their owner is dead.
    private func ownedRows(
        _ seqs: [Int64], on connection: isolated MariaDBConnection
    ) throws -> [MariaDBRow] {
        var rows: [MariaDBRow] = []
        var byOwner: [Int64: [Int64]] = [:]
        try connection.query(SQL.load, list: seqs.map { .int($0) }) { row in
            rows.append(row)
            byOwner[try row.int(3), default: []].append(try row.int(0))
        }
        var mine = Set(byOwner.removeValue(forKey: incarnation) ?? [])
        if !byOwner.isEmpty {
            for dead in try Self.deadIncarnations(on: connection) {
                guard let theirs = byOwner[dead] else { continue }
                mine.formUnion(try claim(theirs, from: dead, on: connection))
            }
        }
        return try rows.filter { mine.contains(try $0.int(0)) }
    }

    /// Another heir may be at the same rows: what counts is whose they are afterwards.
    private func claim(
        _ seqs: [Int64], from dead: Int64, on connection: isolated MariaDBConnection
    ) throws -> [Int64] {
        let list = seqs.sorted().map { MariaDBValue.int($0) }
        let claimed = try connection.execute(SQL.claim, list: list, before: [.int(incarnation)], after: [.int(dead)])
        if claimed == seqs.count { return seqs }
        var mine: [Int64] = []
        try connection.query(SQL.owned, list: list, after: [.int(incarnation)]) { mine.append(try $0.int(0)) }
        return mine
    }

    // MARK: Transactions

    func dueTransactions(now: Timestamp, limit: Int) async throws -> [DueTransaction] {
        try await run { [self] connection in
            let rows = try connection.query(SQL.dueTransactions, [.int(now), .int(limit)])
            guard !rows.isEmpty else { return [] }
            var mine: Set<Int64> = []
            var byOwner: [Int64: [Int64]] = [:]
            for row in rows { byOwner[try row.int(4), default: []].append(try row.int(3)) }
            mine.formUnion(byOwner[incarnation] ?? [])
            for dead in try Self.deadIncarnations(on: connection) {
                if let theirs = byOwner[dead] { mine.formUnion(try claim(theirs, from: dead, on: connection)) }
            }
            return try rows.filter { mine.contains(try $0.int(3)) }.map { row in
                DueTransaction(
                    seq: try row.int(3), message: try row.message(5, hasBody: false), connectionGroup: try row.text(0),
                    checks: Int(try row.int(1)), nextCheckAt: try row.int(2))
            }
        }
    }

    func reschedule(_ checks: [TransactionCheck]) async throws {
        try await run { connection in
            for check in checks.sorted(by: { $0.seq < $1.seq }) {
                switch check.action {
                case .next(let at, let count):
                    try connection.execute(
                        SQL.reschedule, [.int(at), .int(count), .int(check.seq), .int(check.previousCheckAt)])
                case .park:
                    try connection.transaction { try Self.park(check, on: connection) }
                }
            }
        }
    }

    private static func park(_ check: TransactionCheck, on connection: isolated MariaDBConnection) throws {
        let now = StoreClock.now()
        let checks = try connection.query(SQL.checksOf, [.int(check.seq)]).first?.int(0) ?? 0
        let parked = try connection.execute(SQL.park, [.int(now), .int(check.seq), .int(check.previousCheckAt)])
        guard parked.affectedRows == 1 else { return }
        try connection.execute(
            SQL.bury,
            [
                .text(""), .int(Int64(DeadLetterReason.undecided.rawValue)), .int(checks), .null, .int(now),
                .int(check.seq),
            ])
        try connection.execute(SQL.deleteHalfMessages, list: [.int(check.seq)])
    }

    // MARK: Sweeping

    func purge(decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int) async throws -> Int {
        try await run { connection in
            var gone = 0
            for outcome in [TransactionOutcome.committed, .rolledBack, .parked] {
                gone += try connection.execute(
                    SQL.purgeTransactions, [.int(Int64(outcome.rawValue)), .int(decidedBefore), .int(limit)]
                ).affectedRows
            }
            gone += try connection.execute(SQL.purgeDeadLetters, [.int(deadLettersBefore), .int(limit)]).affectedRows
            // Not at once: a broker that was paused may commit a last batch late, and its rows must be found as a dead one's.
            for row in try connection.query(SQL.longDead, [.int(StoreClock.now() - 3_600_000)]) {
                let dead = MariaDBValue.int(try row.int(0))
                guard try connection.query(SQL.anyMessageOf, [dead]).isEmpty else { continue }
                try connection.execute(SQL.forgetIncarnation, [dead])
            }
            return gone
        }
    }

    static func deadIncarnations(on connection: isolated MariaDBConnection) throws -> [Int64] {
        try connection.query(SQL.deadIncarnations).map { try $0.int(0) }
    }
}
