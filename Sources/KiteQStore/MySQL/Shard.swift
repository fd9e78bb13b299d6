import KiteQCore
import Logging
import MariaDB
import Synchronization

/// One shard: its pool, and what is known of it. Its statements are in extensions, by topic.
final class Shard: Sendable {
    let number: Int
    /// Which server it is at: one for all its pools.
    let servers: MariaDBServers
    let pool: MariaDBPool
    /// One connection, for the lease alone: it must not wait behind what the broker is busy with.
    let leasePool: MariaDBPool
    /// A few connections, for operators alone: what they ask must not wait for the traffic, nor hold it up.
    let operatorPool: MariaDBPool
    let logger: Logger
    let times = CallTimes()
    let insertWatch = InsertWatch()
    /// Lost connections whose sessions may be there still.
    let lostSessions = Mutex<Set<MariaDBThread>>([])
    private let known = Mutex(Known())
    let marks = Mutex(Marks())
    /// Lost connections whose last commit was not confirmed, with the smallest seq that it concerns.
    let suspects = Mutex<[MariaDBThread: Int64]>([:])
    let leaseWatch: Mutex<LeaseWatch>
    /// The server's time; nil before it was asked.
    let clock = Mutex<ServerClock?>(nil)

    private struct Known {
        /// Routes whose rows are known to be there and right.
        var routes: [Int64: Route] = [:]
        var incarnation: Int64 = 0
        /// The groups that `kite_presence` has for this incarnation.
        var presence: Set<String> = []
        /// Those of `routes` that are still to be compared with their rows in this round.
        var routesToCheck: [Int64] = []
        /// What was gone at the last look: at the next one it is written again. In between a dump may be played back, whose own
        /// rows must not meet with others.
        var suspectRoutes: Set<RouteID> = []
        var lacksPresence = false
        var lostTopics: Set<String> = []
        /// What was read of messages may be other than what is there. Kept until a check that says so was handed out.
        var mustReread = false
        /// Routes that messages refer to, and that are not known: of the last round, and of this one.
        var unknownRoutes: Set<RouteID> = []
        var unknownThisRound: Set<RouteID> = []
        var census: (owner: Int64, route: RouteID)?
        /// When the groups of an unknown route were last searched for.
        var searches: [RouteID: MonotonicTime] = [:]
        /// What the lease in `kite_incarnation` was when this incarnation last wrote it.
        var lease: Timestamp = 0
        var hasOlderLease = false
        /// When the tables were made.
        var tables = ""
        /// The bindings that were saved from here, by topic.
        var bindings: [String: [Binding]] = [:]
        /// The server that all this was read from.
        var server = ""
        var hasMoved = false
        var maxPacket = 1 << 20
    }

    /// Routes remembered; more start over.
    private static let maxRoutes = 100_000
    private static let attempts = 6

    init(number: Int, configuration: MySQLStoreConfiguration, logger: Logger) {
        self.number = number
        leaseWatch = Mutex(LeaseWatch(duration: Int64(configuration.lease / .nanoseconds(1))))
        var database = configuration.shards[number]
        database.requiresWrites = true
        database.sessionStatements =
            [
                "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                "SET SESSION innodb_lock_wait_timeout = \(MySQLStoreConfiguration.lockWait)",
                // For a table, behind ALTER TABLE or FLUSH TABLES: both servers' default is a day.
                "SET SESSION lock_wait_timeout = \(MySQLStoreConfiguration.lockWait)",
                "SET SESSION time_zone = '+00:00'",
                "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
                "SET SESSION autocommit = 1",
                // Both servers' default. With fewer looks into the index MariaDB takes an owner's messages for one row, and reads
                // them all for a list of keys.
                "SET SESSION eq_range_index_dive_limit = 200",
            ] + database.sessionStatements
        var limits = MariaDBPoolConfiguration()
        limits.maxConnections = configuration.connectionsPerShard
        limits.waitTimeout = configuration.waitTimeout
        var logger = logger
        logger[metadataKey: "shard"] = "\(number)"
        self.logger = logger
        servers = MariaDBServers(database, witnesses: Self.witnesses, logger: logger)
        pool = MariaDBPool(database, pool: limits, servers: servers, logger: logger)
        limits.maxConnections = 1
        // What keeps the others from the server is said once, by the pool above.
        logger.logLevel = max(logger.logLevel, .error)
        leasePool = MariaDBPool(database, pool: limits, servers: servers, logger: logger)
        operatorPool = Self.operatorPool(
            to: database, at: servers, within: configuration.waitTimeout, logger: logger)
    }

    var incarnation: Int64 {
        get { known.withLock { $0.incarnation } }
        set {
            known.withLock { $0.incarnation = newValue }
            servers.setRank(newValue)
        }
    }

    var presence: Set<String> {
        get { known.withLock { $0.presence } }
        set { known.withLock { $0.presence = newValue } }
    }

    /// The server's max_allowed_packet, bytes.
    var maxPacket: Int {
        get { known.withLock { $0.maxPacket } }
        set { known.withLock { $0.maxPacket = newValue } }
    }

    /// What was known of another server holds no more: one that took over may lack the last that the other had. Returns
    /// the routes that messages were stored with there.
    func meet(server: String) -> [Route] {
        let routes = known.withLock { known -> [Route]? in
            defer { known.server = server }
            guard known.server != server, !known.server.isEmpty else { return nil }
            known.hasMoved = true
            known.presence = []
            return Array(known.routes.values)
        }
        if routes != nil { distrustMarks() }
        return routes ?? []
    }

    /// A new life begins: nothing that was read of the database before is taken for true.
    func begin(incarnation: Int64) {
        servers.setRank(incarnation)
        marks.withLock { marks in
            marks = Marks()
            marks.fresh = FreshMarks(own: incarnation)
        }
        known.withLock { known in
            known.incarnation = incarnation
            known.presence = []
            (known.lease, known.hasOlderLease) = (0, false)
            (known.routesToCheck, known.census, known.tables) = ([], nil, "")
        }
    }

    // MARK: Routes

    func knownRoute(_ id: Int64) -> Route? { known.withLock { $0.routes[id] } }

    var knownRoutes: [Route] { known.withLock { Array($0.routes.values) } }

    func remember(_ route: Route) {
        known.withLock { known in
            if known.routes.count >= Self.maxRoutes { known.routes.removeAll() }
            known.routes[route.id] = route
            // Its messages were passed over until now.
            if known.unknownRoutes.remove(route.id) != nil { known.mustReread = true }
            known.unknownThisRound.remove(route.id)
        }
    }

    /// The next ones in turn, all of them where they are few.
    func nextRoutesToCheck(_ limit: Int) -> [Route] {
        known.withLock { known in
            if known.routesToCheck.isEmpty { known.routesToCheck = Array(known.routes.keys) }
            let ids = known.routesToCheck.suffix(limit)
            known.routesToCheck.removeLast(ids.count)
            return known.suspectRoutes.union(ids).compactMap { known.routes[$0] }
        }
    }

    /// Notes which routes are not as they are to be; returns those that were so at the last look too. One that was wrong and is
    /// right again was put right by another broker: what was read in between may lack its messages here all the same.
    func noteSuspects(_ routes: [Route]) -> [Route] {
        known.withLock { known in
            let wrong = Set(routes.map(\.id))
            if !known.suspectRoutes.isSubset(of: wrong) { known.mustReread = true }
            defer { known.suspectRoutes = wrong }
            return routes.filter { known.suspectRoutes.contains($0.id) }
        }
    }

    /// Whether rows of presence lacked at the last look, too; the next look begins anew then.
    func noteLack(ofPresence lacks: Bool) -> Bool {
        known.withLock { known in
            if known.lacksPresence { known.mustReread = true }
            let isLasting = lacks && known.lacksPresence
            known.lacksPresence = lacks && !isLasting
            return isLasting
        }
    }

    func noteReread() { known.withLock { $0.mustReread = true } }

    /// Whether what was read of messages is to be read again: to be asked where nothing can keep the answer from whoever reads.
    func takeReread() -> Bool {
        let mustReread = known.withLock { known in
            defer { known.mustReread = false }
            return known.mustReread
        }
        if mustReread { distrustMarks() }
        return mustReread
    }

    /// Whether the server is another one than at the last call.
    func takeMove() -> Bool {
        known.withLock { known in
            defer { known.hasMoved = false }
            return known.hasMoved
        }
    }

    /// Of these topics those whose bindings were gone at the last look, too.
    func noteLost(topics: [String]) -> [String] {
        known.withLock { known in
            defer { known.lostTopics = Set(topics) }
            return topics.filter { known.lostTopics.contains($0) }
        }
    }

    var unknownRoutes: Set<RouteID> { known.withLock { $0.unknownRoutes } }

    /// False where it was noted before.
    func noteUnknownRoute(_ id: RouteID) -> Bool { known.withLock { $0.unknownRoutes.insert(id).inserted } }

    /// Unknown routes to search for now: a few, and each not too often.
    func nextRoutesToSearch(_ limit: Int, every interval: MonotonicTime, now: MonotonicTime) -> [RouteID] {
        known.withLock { known in
            known.searches = known.searches.filter { known.unknownRoutes.contains($0.key) }
            let ids = known.unknownRoutes.filter { known.searches[$0].map { now - $0 >= interval } ?? true }
            let chosen = Array(ids.sorted().prefix(limit))
            for id in chosen { known.searches[id] = now }
            return chosen
        }
    }

    var routeCensus: (owner: Int64, route: RouteID)? { known.withLock { $0.census } }

    /// Some more was looked at; at the end of a round those that were not met again are forgotten.
    func noteCensus(_ found: Set<RouteID>, next: (owner: Int64, route: RouteID)?) {
        known.withLock { known in
            known.unknownThisRound.formUnion(found)
            known.census = next
            guard next == nil else { return }
            known.unknownRoutes = known.unknownThisRound
            known.unknownThisRound = []
        }
    }

    // MARK: What tells that the database was put back

    enum LeaseFound: Sendable { case asWritten, olderOnce, older }

    func isLeaseOlder(_ found: Timestamp) -> Bool { known.withLock { found < $0.lease } }

    func noteLease(found: Timestamp) -> LeaseFound {
        known.withLock { known in
            guard found < known.lease else {
                known.hasOlderLease = false
                return .asWritten
            }
            defer { known.hasOlderLease = true }
            return known.hasOlderLease ? .older : .olderOnce
        }
    }

    func setLease(written: Timestamp) { known.withLock { $0.lease = written } }

    /// When the tables were made: others than at the last look hold other messages.
    func noteTables(_ made: String) {
        known.withLock { known in
            if !known.tables.isEmpty, known.tables != made { known.mustReread = true }
            known.tables = made
        }
    }

    var savedTopics: [String] { known.withLock { $0.bindings.keys.sorted() } }

    func bindingsSaved(of topics: [String]) -> [Binding] {
        known.withLock { known in topics.flatMap { known.bindings[$0] ?? [] } }
    }

    func noteSaved(_ bindings: [Binding], topics: [String]) {
        known.withLock { known in
            for topic in topics { known.bindings[topic] = bindings.filter { $0.topic == topic } }
        }
    }

    // MARK: Running

    /// Runs `body` on a connection, again as a whole where the server says that this may help (1213, 1205, a lost connection
    /// whose outcome is known).
    /// - Parameters:
    ///   - pool: where the connection is from, by default `pool`.
    ///   - lockWaits: whether it is run again where a lock was not had in time.
    ///   - deadline: it is not run again after it.
    func run<Result: Sendable>(
        on pool: MariaDBPool? = nil, retryingLockWaits lockWaits: Bool = true,
        until deadline: ContinuousClock.Instant? = nil,
        _ body: @escaping @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> Result {
        var failures = 0
        while true {
            do {
                guard pool === operatorPool else {
                    return try await (pool ?? self.pool).withConnection(within: deadline.map { $0 - .now }) {
                        connection in
                        try self.endLostSessions(on: connection)
                        return try body(connection)
                    }
                }
                return try await times.measure(.operator) { try await operatorPool.withConnection(body) }
            } catch let error as MariaDBError
                where error.isRetriable && failures < Self.attempts && (lockWaits || !error.isLockWaitTimeout)
                && deadline.map({ .now < $0 }) ?? true
            {
                noteLost(error)
                failures += 1
                // A connection that was lost is replaced once; where none could be had, the wait was long enough.
                if error.isConnectionLost && (failures > 1 || error.threadID == nil) { throw storeError(error) }
                // Two that met in a deadlock should not meet again.
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...(5 << failures))))
            } catch {
                noteLost(error)
                throw storeError(error)
            }
        }
    }

    /// The store's word for a database error.
    func storeError(_ error: any Error) -> any Error {
        guard let error = error as? MariaDBError else { return error }
        let code: StoreError.Code
        switch error.code {
        case 1146, 1049, 1054:
            return StoreError(
                .notMigrated,
                "shard \(number) (\(pool.configuration)) has not KiteQ's tables: run `kiteq migrate` first",
                underlying: error)
        default:
            if error.isWrongProduct {
                return StoreError(.failed, "shard \(number): \(error.message)", underlying: error)
            }
            // Group replication says 3100 both of a transaction that is too large and of a group that is not well.
            let takesNone = error.isReadOnly || error.isDiskFull || error.code == 3100
            code =
                error.isRefused
                ? .refused
                : takesNone
                    ? .refusesWrites
                    : error.isConnectionLost || error.isLockWaitTimeout || error.isDeadlock ? .unavailable : .failed
        }
        return StoreError(
            code, "shard \(number): \(error.message)", isOutcomeUnknown: error.isCommitOutcomeUnknown, underlying: error
        )
    }
}

extension MariaDBConnection {
    /// Runs a statement for each piece of a list, in as few texts as possible, and gives each piece's rows to `body`.
    func query(
        _ statement: String, list: [MariaDBValue], before: [MariaDBValue] = [], after: [MariaDBValue] = [],
        _ body: (MariaDBRow) throws -> Void
    ) throws {
        try pieces(list) { piece in
            let rows = try query(SQL.list(statement, piece.count), before + piece + after)
            for row in rows { try body(row) }
        }
    }

    /// Like `query(_:list:)` for a statement without rows; returns the rows it affected.
    @discardableResult
    func execute(
        _ statement: String, list: [MariaDBValue], before: [MariaDBValue] = [], after: [MariaDBValue] = []
    ) throws -> Int {
        var affected = 0
        try pieces(list) { piece in
            affected += try execute(SQL.list(statement, piece.count), before + piece + after).affectedRows
        }
        return affected
    }

    private func pieces(_ list: [MariaDBValue], _ body: ([MariaDBValue]) throws -> Void) throws {
        var start = 0
        while start < list.count {
            let count = min(Ladder.mostValues, list.count - start)
            var piece = Array(list[start..<(start + count)])
            if let last = piece.last {
                piece += Array(repeating: last, count: Ladder.listSize(count) - count)
            }
            try body(piece)
            start += count
        }
    }
}
