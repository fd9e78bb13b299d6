import KiteQCore
import MariaDB
import Synchronization

/// What waits in a shard for groups: ranges of indexes, counted up to a bound.
extension Shard {
    /// Sets that one group may be in, and pairs of an owner and a set that a listing looks at; what is beyond is not counted.
    private static let maxRoutes = 1_000
    private static let maxPairs = 2_000
    /// Rows of one kind that a listing counts for a group, and of all fresh ones together.
    private static let listBound = 10_000
    private static let listBudget = 1_000_000
    /// Dead letters that belong to a group.
    private static let reasons = [DeadLetterReason.attemptsUsedUp, .expired]

    /// What a bounded count found: how many, the smallest seq and the smallest due time among them.
    struct Tally: Sendable {
        var count = BoundedCount.zero
        var seq: Int64?
        var dueAt: Timestamp?

        static func += (a: inout Self, b: Self) {
            a.count += b.count
            a.seq = [a.seq, b.seq].compactMap { $0 }.min()
            a.dueAt = [a.dueAt, b.dueAt].compactMap { $0 }.min()
        }
    }

    func groupReport(of name: String) async throws -> GroupReport {
        try await ask { [self] connection, deadline in
            var fresh = Tally()
            let routes = try connection.query(OperatorSQL.routesOf, [.text(name), .int(Self.maxRoutes + 1)])
                .map { try $0.int(0) }
            for owner in try messageOwners(on: connection) {
                for route in routes.prefix(Self.maxRoutes) where fresh.count.value < Self.countBound {
                    try deadline.check()
                    let bound = Self.countBound - fresh.count.value
                    fresh += try freshTally(owner, route, bound, on: connection)
                }
            }
            if fresh.count.value >= Self.countBound || routes.count > Self.maxRoutes { fresh.count.isAtLeast = true }
            return try Self.report(name, fresh, bound: Self.countBound, on: connection)
        }
    }

    /// Groups by name, at most `limit`; fewer than that are the last.
    func groupReports(after name: String, limit: Int) async throws -> [GroupReport] {
        try await ask { [self] connection, deadline in
            var names: [String] = []
            while names.count < limit, let next = try Self.group(after: names.last ?? name, on: connection) {
                try deadline.check()
                names.append(next)
            }
            return try reports(of: names, deadline, on: connection)
        }
    }

    func groupReports(of names: [String]) async throws -> [GroupReport] {
        try await ask { [self] connection, deadline in try reports(of: names, deadline, on: connection) }
    }

    private func reports(
        of names: [String], _ deadline: OperatorDeadline, on connection: isolated MariaDBConnection
    ) throws -> [GroupReport] {
        let fresh = names.isEmpty ? [:] : try freshTallies(deadline, on: connection)
        return try names.map { name in
            try deadline.check()
            return try Self.report(name, fresh[name] ?? Tally(), bound: Self.listBound, on: connection)
        }
    }

    private static func group(after name: String, on connection: isolated MariaDBConnection) throws -> String? {
        let row = try connection.query(OperatorSQL.nextGroup, [.text(name), .text(name), .text(name)]).first
        let names = try (0..<3).compactMap { try row?.optionalBytes($0) }
        return names.min { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The fresh messages of every group at once: each pair of an owner and a set is counted once, whoever is in it.
    private func freshTallies(
        _ deadline: OperatorDeadline, on connection: isolated MariaDBConnection
    ) throws -> [String: Tally] {
        var tallies: [String: Tally] = [:]
        var (pairs, budget) = (0, Self.listBudget)
        for owner in try messageOwners(on: connection) {
            var route = Route.halfID
            while let next = try connection.query(SQL.nextRoute, [.int(owner), .int(route)]).first {
                try deadline.check()
                route = try next.int(0)
                pairs += 1
                var tally = Tally(count: BoundedCount(0, isAtLeast: true))
                if pairs <= Self.maxPairs, budget > 0 {
                    tally = try freshTally(owner, route, min(Self.listBound, budget), on: connection)
                    budget -= tally.count.value
                }
                for member in try routeIfThere(route, on: connection)?.members ?? [] {
                    tallies[member.group, default: Tally()] += tally
                }
            }
        }
        return tallies
    }

    // MARK: For limits

    func undecidedByGroup(upTo limit: Int) async throws -> [String: Int] {
        try await ask { connection, _ in
            let rows = try connection.query(OperatorSQL.undecidedByGroup, [.int(limit)])
            return Dictionary(
                try rows.map { (try $0.text(0), Int(try $0.int(1))) }, uniquingKeysWith: +)
        }
    }

    func waiting(for name: String, upTo limit: Int) async throws -> Int {
        try await ask { [self] connection, deadline in
            let due = [MariaDBValue.text(name), .int(0), .int(Settlement.Pending.heldDueAt)]
            var count = try Self.tally(OperatorSQL.deliveries, due, limit, on: connection).count.value
            let routes = try connection.query(OperatorSQL.routesOf, [.text(name), .int(Self.maxRoutes)])
                .map { try $0.int(0) }
            let owners = try messageOwners(on: connection)
            return try look(.freshRoutes) { isFull in
                for owner in owners {
                    for route in routes where count < limit {
                        try deadline.check()
                        count += try freshTally(owner, route, limit - count, isFull: isFull, on: connection).count.value
                    }
                }
                return count
            }
        }
    }

    // MARK: One range

    /// - Parameter isFull: for a person, from the head of the index; the limits of groups are held against it again and again.
    private func freshTally(
        _ owner: Int64, _ route: RouteID, _ bound: Int, isFull: Bool = true, on connection: isolated MariaDBConnection
    ) throws -> Tally {
        let (mayHave, floor) = marks.withLock {
            isFull ? (true, 0) : ($0.fresh.mayHave(route, of: owner), $0.fresh.floor(of: owner, route))
        }
        guard mayHave else { return Tally() }
        return try Self.tally(
            OperatorSQL.freshOfRoute, [.int(owner), .int(route), .int(floor - 1)], bound, on: connection)
    }

    private static func report(
        _ name: String, _ fresh: Tally, bound: Int, on connection: isolated MariaDBConnection
    ) throws -> GroupReport {
        let held = Settlement.Pending.heldDueAt
        func deliveries(_ from: Timestamp, _ to: Timestamp) throws -> Tally {
            try tally(OperatorSQL.deliveries, [.text(name), .int(from), .int(to)], bound, on: connection)
        }
        let (away, retrying, inMemory) = (
            try deliveries(0, 0), try deliveries(1, held - 1), try deliveries(held, held)
        )
        var letters = BoundedCount.zero
        for reason in reasons {
            letters = try add(
                to: letters, OperatorSQL.countByGroup, [.text(name), .int(Int64(reason.rawValue))], bound: bound,
                on: connection)
        }
        let connected = try connection.query(OperatorSQL.presenceOf, [.text(name)]).map { try $0.int(0) }
        let oldest = [fresh, away, retrying, inMemory].compactMap(\.seq).min()
        return GroupReport(
            name: name, connectedTo: connected.sorted(), fresh: fresh.count, away: away.count,
            retrying: retrying.count, held: inMemory.count, deadLetters: letters, nextDueAt: retrying.dueAt,
            oldestAcceptedAt: oldest.map { SequenceGenerator.timestamp(of: $0) })
    }

    private static func tally(
        _ statement: String, _ values: [MariaDBValue], _ bound: Int, on connection: isolated MariaDBConnection
    ) throws -> Tally {
        guard let row = try connection.query(statement, values + [.int(bound + 1)]).first else { return Tally() }
        let found = Int(try row.int(0))
        guard found > 0 else { return Tally() }
        return Tally(
            count: BoundedCount(min(found, bound), isAtLeast: found > bound), seq: try row.int(1),
            dueAt: row.values.count > 2 ? try row.int(2) : nil)
    }
}
