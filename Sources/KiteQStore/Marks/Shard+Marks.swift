import KiteQCore
import MariaDB
import Synchronization

/// Where this shard's looks begin.
struct Marks: Sendable {
    var fresh = FreshMarks(own: 0)
    var places = PlaceMarks()
    var full = FullLooks()
    /// By what they own: those that the last full look found dead, and all lives that had ended then.
    var deadOwners: [FullLooks.Kind: Set<Int64>] = [:]
    var endedLives: [FullLooks.Kind: Set<Int64>] = [:]
    /// Of what a dead broker held, rows below were let go of.
    var releasedUpTo: [Int64: Int64] = [:]
}

extension Shard {
    /// Runs a look, a full one where its time has come.
    ///
    /// - Parameter body: whether it is to begin at the head.
    func look<Result>(_ kind: FullLooks.Kind, _ body: (_ isFull: Bool) throws -> Result) rethrows -> Result {
        let begun = StoreClock.monotonic()
        let isFull = marks.withLock { $0.full.isDue(kind, now: begun) }
        defer {
            if isFull {
                let now = StoreClock.monotonic()
                marks.withLock { $0.full.took(kind, now - begun, now: now) }
            }
        }
        return try body(isFull)
    }

    /// The database is not what it was: nothing that was found in it holds.
    func distrustMarks() {
        let routes = knownRoutes.map(\.id)
        marks.withLock { marks in
            var fresh = marks.fresh
            fresh.distrust(routes)
            marks = Marks()
            marks.fresh = fresh
        }
    }

    // MARK: Fresh messages

    /// Messages become this life's while `body` runs, which names them before it writes them.
    ///
    /// - Throws: what `body` throws; where that leaves open whether they were written, no mark is raised above them until it is known.
    func writingFresh<Result>(_ body: (FreshMarks.WriteID) async throws -> Result) async throws -> Result {
        let write = marks.withLock { $0.fresh.beginWrite() }
        do {
            let result = try await body(write)
            marks.withLock { $0.fresh.endWrite(write) }
            return result
        } catch {
            end(write, after: error)
            throw error
        }
    }

    /// The same on a connection.
    func writingFresh<Result>(
        on connection: isolated MariaDBConnection, _ body: (FreshMarks.WriteID) throws -> Result
    ) throws -> Result {
        let write = marks.withLock { $0.fresh.beginWrite() }
        do {
            let result = try body(write)
            marks.withLock { $0.fresh.endWrite(write) }
            return result
        } catch {
            end(write, after: error)
            throw error
        }
    }

    private func end(_ write: FreshMarks.WriteID, after error: any Error) {
        let isUnknown =
            (error as? StoreError)?.isOutcomeUnknown ?? (error as? MariaDBError)?.isCommitOutcomeUnknown ?? true
        marks.withLock { if isUnknown { $0.fresh.doubt(write) } else { $0.fresh.endWrite(write) } }
    }

    /// Names messages that a write makes this life's, before it does.
    func note(_ messages: some Sequence<(route: RouteID, seq: Int64)>, in write: FreshMarks.WriteID) {
        var lowest: FreshMarks.Lowest = [:]
        var last: (route: RouteID, seq: Int64) = (Route.halfID, .min)
        for message in messages {
            // Most are of one route and rise.
            if message.route == last.route, message.seq >= last.seq { continue }
            last = message
            lowest[message.route] = min(lowest[message.route] ?? .max, message.seq)
        }
        guard !lowest.isEmpty else { return }
        marks.withLock { $0.fresh.add(lowest, to: write) }
    }

    /// A page of an owner's fresh messages of one route, from the mark on.
    ///
    /// - Parameter columns: gives the rows of a statement like `SQL.freshBacklog`, the seq first.
    func freshPage(
        _ statement: String, of owner: Int64, _ route: RouteID, above seq: Int64, limit: Int, isFull: Bool = false,
        on connection: isolated MariaDBConnection
    ) throws -> [MariaDBRow] {
        let (floor, look) = marks.withLock { ($0.fresh.floor(of: owner, route), $0.fresh.beginLook()) }
        defer { marks.withLock { $0.fresh.endLook(look) } }
        guard isFull || marks.withLock({ $0.fresh.mayHave(route, of: owner) }) else { return [] }
        let above = isFull ? seq : max(seq, floor - 1)
        let rows = try connection.query(statement, [.int(owner), .int(route), .int(above), .int(limit)])
        if seq < floor || floor == 0 && seq == 0 {
            let first = try rows.first?.int(0)
            marks.withLock { $0.fresh.found(first, of: owner, route, by: look) }
        }
        return rows
    }

    /// The next route that an owner has messages of.
    ///
    /// - Parameter isFull: whether the index is asked, and not memory.
    func nextRoute(
        of owner: Int64, after route: RouteID, isFull: Bool, on connection: isolated MariaDBConnection
    ) throws -> RouteID? {
        guard isFull else { return marks.withLock { $0.fresh.route(of: owner, after: route) } }
        let look = marks.withLock { $0.fresh.beginLook() }
        defer { marks.withLock { $0.fresh.endLook(look) } }
        guard let row = try connection.query(SQL.nextRoute, [.int(owner), .int(route)]).first else { return nil }
        let (next, first) = (try row.int(0), try row.int(1))
        marks.withLock { $0.fresh.found(first, of: owner, next, by: look) }
        return next
    }

    // MARK: The dead

    /// Owners of fresh messages that are not among the living; of half messages alone is none: those are anybody's. A life that was
    /// forgotten, or that this server never heard of, is found by a full look, from what it owns.
    func deadWithMessages(on connection: isolated MariaDBConnection) throws -> [Int64] {
        let (dead, isFull) = try deadOwners(.messageOwners, SQL.lastMessageOwner, on: connection)
        return try dead.filter { owner in
            if isFull || !marks.withLock({ $0.fresh.isKnown(owner) }) { try learnRoutes(of: owner, on: connection) }
            return marks.withLock { !$0.fresh.routes(of: owner).isEmpty }
        }
    }

    /// One dive into the index for each route.
    private func learnRoutes(of dead: Int64, on connection: isolated MariaDBConnection) throws {
        var routes: [RouteID] = []
        while let next = try nextRoute(of: dead, after: routes.last ?? Route.halfID, isFull: true, on: connection) {
            routes.append(next)
        }
        marks.withLock { $0.fresh.know(routes, of: dead) }
    }

    /// Owners of messages or deliveries that may be dead: by a full look, or, for the time being, those that the last one found, and
    /// lives that have ended since.
    func deadOwners(
        _ kind: FullLooks.Kind, _ lastOwner: String, on connection: isolated MariaDBConnection
    ) throws -> (owners: [Int64], isFull: Bool) {
        var (living, ended): (Set<Int64>, Set<Int64>) = ([], [])
        for row in try connection.query(SQL.incarnations) {
            if try row.int(1) == 0 { living.insert(try row.int(0)) } else { ended.insert(try row.int(0)) }
        }
        return try look(kind) { isFull in
            guard isFull else {
                let since = marks.withLock { marks in
                    (marks.deadOwners[kind] ?? []).union(ended.subtracting(marks.endedLives[kind] ?? []))
                }
                return (since.subtracting(living).sorted(), false)
            }
            // Asked again after they were read: a broker joins before it owns anything.
            let dead = try Self.dead(Self.owners(lastOwner, besides: living.sorted(), on: connection), on: connection)
            marks.withLock { marks in
                marks.deadOwners[kind] = Set(dead)
                marks.endedLives[kind] = ended
                if kind == .messageOwners { marks.fresh.keep(dead: Set(dead)) }
                if kind == .deliveryOwners { marks.releasedUpTo = [:] }
            }
            return (dead, true)
        }
    }

    /// Owners between the living, each by one dive into the index.
    private static func owners(
        _ last: String, besides living: [Int64], on connection: isolated MariaDBConnection
    ) throws -> [Int64] {
        var owners: [Int64] = []
        for (low, high) in zip([0] + living, living + [.max]) {
            var top = high
            while let row = try connection.query(last, [.int(low), .int(top)]).first {
                top = try row.int(0)
                owners.append(top)
            }
        }
        return owners.sorted()
    }

    /// All that may have messages: the living, and the dead with something left.
    func messageOwners(on connection: isolated MariaDBConnection) throws -> [Int64] {
        let living = try connection.query(SQL.incarnations).filter { try $0.int(1) == 0 }.map { try $0.int(0) }
        let dead = try deadOwners(.messageOwners, SQL.lastMessageOwner, on: connection).owners
        return Set(living).union(dead).sorted()
    }
}
