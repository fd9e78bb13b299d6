import KiteQCore
import Logging
import MariaDB

/// Which groups a route stands for: `kite_route`, and what is remembered of it.
///
/// Memory is never wrong about a route, for its id is a hash of its groups. The rows may be: somebody may have deleted them, or put
/// the database back to a time before they were written.
extension Shard {
    // MARK: Reading

    func route(_ id: Int64, on connection: isolated MariaDBConnection) throws -> Route {
        guard let route = try routeIfThere(id, on: connection) else {
            throw StoreError(.failed, "route \(id) of a message in shard \(number) is not in kite_route")
        }
        return route
    }

    /// Nil where kite_route has not all of its groups, or others: then its messages wait, and not all others with them. A
    /// line in the log, once.
    func routeIfThere(_ id: Int64, on connection: isolated MariaDBConnection) throws -> Route? {
        if let known = knownRoute(id) { return known }
        let route = try Self.readRoute(id, on: connection)
        guard route.id == id, !route.isEmpty else {
            if noteUnknownRoute(id) {
                logger.critical(
                    "route \(id) is not in kite_route, or not all of it: nobody gets its messages until it is known again (docs/restore.md)"
                )
            }
            return nil
        }
        remember(route)
        return route
    }

    /// What the rows of a route say, which need not be that route.
    static func readRoute(_ id: Int64, on connection: isolated MariaDBConnection) throws -> Route {
        Route(
            try connection.query(SQL.route, [.int(id)]).map {
                Route.Member(group: try $0.text(0), persistent: try $0.int(1) != 0)
            })
    }

    /// As memory or the rows have it; nil where neither does.
    func knowledge(of id: Int64) async throws -> Route? {
        if let known = knownRoute(id) { return known }
        let route = try await run { try Self.readRoute(id, on: $0) }
        return route.id == id && !route.isEmpty ? route : nil
    }

    // MARK: Writing

    /// Makes sure that the rows of these routes are there before a message refers to them.
    func ensureRoutes(
        _ routes: some Sequence<Route>, until deadline: ContinuousClock.Instant? = nil
    ) async throws {
        var missing: [Int64: Route] = [:]
        var last: Int64?
        for route in routes where route.id != last {
            last = route.id
            if knownRoute(route.id) == nil { missing[route.id] = route }
        }
        for route in missing.values where !route.isEmpty { try await store(route, until: deadline) }
    }

    /// Writes a route's rows where they are missing, and puts them right where they are not this route's.
    func store(_ route: Route, until deadline: ContinuousClock.Instant? = nil) async throws {
        let stored = try await run(until: deadline) { [self] connection in
            // In parts it is no route before its last member is there.
            var refusals = Refusals()
            try inParts(route.members, "write a route's group", &refusals, on: connection) { members in
                try connection.insert(into: SQL.insertRoutes, Self.rows(route.id, members), tail: SQL.keepRoute)
            }
            let stored = try Self.readRoute(route.id, on: connection)
            // Rows of a set that has another id are no route.
            guard stored.members != route.members, stored.id != route.id else { return stored }
            try connection.transaction {
                try connection.execute(SQL.deleteRoute, [.int(route.id)])
                try connection.insert(into: SQL.insertRoutes, Self.rows([route]), tail: SQL.keepRoute)
            }
            return try Self.readRoute(route.id, on: connection)
        }
        guard stored.members == route.members else {
            throw StoreError(.failed, "two sets of groups have the same route \(route.id); rename one of the groups")
        }
        remember(route)
    }

    private static func rows(_ routes: [Route]) -> MariaDBBatch {
        var rows = MariaDBBatch([.int, .bytes, .int])
        for route in routes { append(route.members, of: route.id, to: &rows) }
        return rows
    }

    private static func rows(_ route: RouteID, _ members: [Route.Member]) -> MariaDBBatch {
        var rows = MariaDBBatch([.int, .bytes, .int])
        append(members, of: route, to: &rows)
        return rows
    }

    private static func append(_ members: [Route.Member], of route: RouteID, to rows: inout MariaDBBatch) {
        for member in members {
            rows.append(route)
            rows.append(member.group)
            rows.append(Int64(member.persistent ? 1 : 0))
        }
    }

    // MARK: Checking

    /// Routes that a check looks at, and their rows.
    private static let routesPerCheck = 256
    private static let rowsPerCheck = 4_000

    /// Compares some of the routes that are remembered with their rows, the next ones each time, and writes what is gone at two
    /// looks. Where one is gone the others are looked at too, all of them.
    /// - Returns: how many were written.
    func checkRoutes() async throws -> Int {
        var wrong: [Route] = []
        for piece in nextRoutesToCheck(Self.routesPerCheck).pieces(
            bytes: Self.rowsPerCheck, rows: Self.routesPerCheck, size: \.members.count)
        {
            wrong += try await self.wrong(piece)
        }
        let lasting = noteSuspects(wrong)
        guard !lasting.isEmpty else { return 0 }
        let written = try await writeMissing(knownRoutes)
        // Now they are right, whoever wrote them.
        _ = noteSuspects([])
        return written
    }

    /// Of these routes those whose rows are not as they are to be, written anew.
    func writeMissing(_ routes: [Route]) async throws -> Int {
        var written = 0
        for piece in routes.pieces(bytes: Self.rowsPerCheck, rows: Self.routesPerCheck, size: \.members.count) {
            let wrong = try await wrong(piece)
            guard !wrong.isEmpty else { continue }
            written += wrong.count
            noteReread()
            // Most are missing altogether: all in one statement.
            var refusals = Refusals()
            try await inParts(wrong, "write the route", &refusals) { routes in
                try await run { try $0.insert(into: SQL.insertRoutes, Self.rows(routes), tail: SQL.keepRoute) }
            }
            for route in try await self.wrong(wrong) { try await store(route) }
        }
        return written
    }

    private func wrong(_ routes: [Route]) async throws -> [Route] {
        let members = try await run { connection in
            var members: [Int64: [Route.Member]] = [:]
            try connection.query(SQL.routes, list: routes.map { .int($0.id) }) { row in
                members[try row.int(0), default: []].append(
                    Route.Member(group: try row.text(1), persistent: try row.int(2) != 0))
            }
            return members
        }
        return routes.filter { Route(members[$0.id] ?? []).members != $0.members }
    }

    // MARK: Messages of unknown routes

    /// Dives into the index that one look takes at most.
    private static let divesPerCheck = 256

    /// Looks, from where the last look ended, which routes this broker's and dead brokers' messages refer to.
    /// - Returns: those that neither memory nor the rows know.
    func findUnknownRoutes() async throws -> Set<RouteID> {
        let start = routeCensus
        let (found, next) = try await run { [self] connection in
            let owners = ([incarnation] + (try deadWithMessages(on: connection))).sorted()
            return try look(.freshRoutes) { isFull in
                var place = start ?? (owner: owners[0], route: Route.halfID)
                var found: Set<RouteID> = []
                for _ in 0..<Self.divesPerCheck {
                    if owners.contains(place.owner),
                        let next = try nextRoute(of: place.owner, after: place.route, isFull: isFull, on: connection)
                    {
                        place.route = next
                        // That memory has it says that there may be messages.
                        if knownRoute(place.route) == nil, try hasFresh(of: place.owner, place.route, on: connection),
                            try routeIfThere(place.route, on: connection) == nil
                        {
                            found.insert(place.route)
                        }
                    } else if let owner = owners.first(where: { $0 > place.owner }) {
                        place = (owner, Route.halfID)
                    } else {
                        return (found, nil as (owner: Int64, route: RouteID)?)
                    }
                }
                return (found, place)
            }
        }
        noteCensus(found, next: next)
        return unknownRoutes
    }

    private func hasFresh(
        of owner: Int64, _ route: RouteID, on connection: isolated MariaDBConnection
    ) throws -> Bool {
        try !freshPage(SQL.freshBacklog, of: owner, route, above: 0, limit: 1, on: connection).isEmpty
    }

    /// Topics and types of some messages of a route.
    func subjects(of route: RouteID) async throws -> [(topic: String, messageType: String)] {
        try await run { [self] connection in
            var seqs: [Int64] = []
            for owner in [incarnation] + (try deadWithMessages(on: connection)) {
                seqs += try freshPage(SQL.freshBacklog, of: owner, route, above: 0, limit: 16, on: connection)
                    .map { try $0.int(0) }
            }
            var subjects: [(String, String)] = []
            try connection.query(SQL.subjects, list: seqs.prefix(16).map { .int($0) }) { row in
                subjects.append((try row.text(0), try row.text(1)))
            }
            return subjects
        }
    }

    // MARK: Expiry

    /// Messages whose time is over, and whose groups nobody knows: dead letters of no group, which a person can give to
    /// groups.
    func buryUnrouted(_ seqs: [Int64], now: Timestamp) async throws {
        let sizes = try await sizes(of: seqs)
        let owner = incarnation
        var refusals = Refusals()
        for piece in seqs.sorted().pieces(bytes: Self.transactionBytes, size: { 2 * (sizes[$0] ?? 0) }) {
            try await inParts(piece, "bury messages of an unknown route", &refusals) { seqs in
                try await run { connection in
                    try connection.transaction {
                        var mine: [Int64] = []
                        try connection.query(SQL.lockMessages, list: seqs.map { .int($0) }) { row in
                            guard try row.int(1) == Int64(StoredMessage.State.fresh.rawValue), try row.int(2) == owner,
                                try row.int(3) <= now
                            else { return }
                            mine.append(try row.int(0))
                        }
                        for seq in mine {
                            let reason = MariaDBValue.int(Int64(DeadLetterReason.expired.rawValue))
                            let error = MariaDBValue.text("its groups are not known: its route is not in kite_route")
                            try connection.execute(
                                SQL.bury, [.text(""), reason, .int(0), error, .int(now), .int(seq)])
                        }
                        try connection.execute(
                            SQL.removeMessages, list: mine.map { .int($0) }, after: [.int(owner)])
                    }
                }
            }
        }
        logger.error(
            "\(seqs.count) messages of groups that nobody knows expired: they are dead letters without a group, to be requeued by hand (docs/restore.md)"
        )
    }
}
