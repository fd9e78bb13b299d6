import KiteQCore
import Logging
import MariaDB
import Synchronization

/// One shard: its pool, and what is known of it. Its statements are in extensions, by topic.
final class Shard: Sendable {
    let number: Int
    let pool: MariaDBPool
    /// One connection, for the lease alone: it must not wait behind what the broker is busy with.
    let leasePool: MariaDBPool
    /// A few connections, for operators alone: what they ask must not wait for the traffic, nor hold it up.
    let operatorPool: MariaDBPool
    let logger: Logger
    let times = CallTimes()
    private let known = Mutex(Known())
    /// Lost connections whose last commit was not confirmed, with the smallest seq that it concerns.
    let suspects = Mutex<[MariaDBThread: Int64]>([:])
    let leaseWatch: Mutex<LeaseWatch>

    private struct Known {
        /// Routes whose rows are known to be there and right.
        var routes: [Int64: Route] = [:]
        var incarnation: Int64 = 0
        /// The groups that `kite_presence` has for this incarnation.
        var presence: Set<String> = []
        /// The server that all this was read from.
        var server = ""
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
        pool = MariaDBPool(database, pool: limits, logger: logger)
        limits.maxConnections = 1
        // What keeps the others from the server is said once, by the pool above.
        logger.logLevel = max(logger.logLevel, .error)
        leasePool = MariaDBPool(database, pool: limits, logger: logger)
        operatorPool = Self.operatorPool(to: database, within: configuration.waitTimeout, logger: logger)
    }

    var incarnation: Int64 {
        get { known.withLock { $0.incarnation } }
        set { known.withLock { $0.incarnation = newValue } }
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
        known.withLock { known in
            defer { known.server = server }
            guard known.server != server, !known.server.isEmpty else { return [] }
            defer { (known.routes, known.presence) = ([:], []) }
            return Array(known.routes.values)
        }
    }

    func knownRoute(_ id: Int64) -> Route? { known.withLock { $0.routes[id] } }

    func remember(_ route: Route) {
        known.withLock { known in
            if known.routes.count >= Self.maxRoutes { known.routes.removeAll() }
            known.routes[route.id] = route
        }
    }

    // MARK: Running

    /// Runs `body` on a connection, again as a whole where the server says that this may help (1213, 1205, a lost connection
    /// whose outcome is known).
    /// - Parameters:
    ///   - pool: where the connection is from, by default `pool`.
    ///   - lockWaits: whether it is run again where a lock was not had in time.
    func run<Result: Sendable>(
        on pool: MariaDBPool? = nil, retryingLockWaits lockWaits: Bool = true,
        _ body: @escaping @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> Result {
        var failures = 0
        while true {
            do {
                guard pool === operatorPool else { return try await (pool ?? self.pool).withConnection(body) }
                return try await times.measure(.operator) { try await operatorPool.withConnection(body) }
            } catch let error as MariaDBError
                where error.isRetriable && failures < Self.attempts && (lockWaits || !error.isLockWaitTimeout)
            {
                failures += 1
                // A connection that was lost is replaced once; where none could be had, the wait was long enough.
                if error.isConnectionLost && (failures > 1 || error.threadID == nil) { throw storeError(error) }
                // Two that met in a deadlock should not meet again.
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...(5 << failures))))
            } catch {
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
            code =
                error.isRefused
                ? .refused
                : error.isReadOnly || error.isDiskFull
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
            let count = min(1_024, list.count - start)
            var piece = Array(list[start..<(start + count)])
            if let last = piece.last {
                piece += Array(repeating: last, count: Ladder.listSize(count) - count)
            }
            try body(piece)
            start += count
        }
    }
}
