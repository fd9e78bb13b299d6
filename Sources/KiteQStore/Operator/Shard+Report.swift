import KiteQCore
import MariaDB
import Synchronization

/// How a shard is, and what it has.
extension Shard {
    /// Rows of one state that are counted.
    static let countBound = 100_000

    /// What needs no answer of the server.
    func report(limit: Int) -> ShardReport {
        var report = ShardReport(shard: number, database: "\(pool.configuration)", pool: poolUse(limit: limit))
        report.unknownRoutes = unknownRoutes
        report.conflict = servers.conflict
        return report
    }

    func poolUse(limit: Int) -> ShardReport.PoolUse {
        let statistics = pool.statistics
        return ShardReport.PoolUse(
            open: statistics.open, idle: statistics.idle, waiting: statistics.waiting, limit: limit,
            failedConnects: statistics.failedConnects)
    }

    func contents() async throws -> ShardReport.Contents {
        try await ask { [self] connection, deadline in
            let start = ContinuousClock.now
            let serverTime = try Self.serverTime(on: connection)
            let answerTime = ContinuousClock.now - start
            let owners = try messageOwners(on: connection)
            var (half, fresh) = (BoundedCount.zero, BoundedCount.zero)
            for owner in owners {
                try deadline.check()
                half = try Self.add(
                    to: half, OperatorSQL.countRoute, [.int(owner), .int(Route.halfID)], on: connection)
                fresh = try Self.add(to: fresh, OperatorSQL.countFresh, [.int(owner)], on: connection)
            }
            let tracked = try Self.add(
                to: .zero, OperatorSQL.countRoute, [.int(0), .int(Route.trackedID)], on: connection)
            let letters = try Self.add(
                to: .zero, OperatorSQL.countByTime, [.int(Int64.min), .int(Int64.max)], on: connection)
            try deadline.check()
            let oldest = try oldestMessage(on: connection).map { SequenceGenerator.timestamp(of: $0) }
            return ShardReport.Contents(
                answerTime: answerTime, product: connection.server.kind == .mariaDB ? "MariaDB" : "MySQL",
                version: connection.server.versionText, serverTime: serverTime,
                tables: try Self.tables(on: connection), half: half, fresh: fresh, tracked: tracked,
                deadLetters: letters, oldestAcceptedAt: oldest,
                historyListLength: try Self.historyListLength(on: connection))
        }
    }

    private func oldestMessage(on connection: isolated MariaDBConnection) throws -> Int64? {
        try look(.oldest) { isFull in
            let above = isFull ? -1 : marks.withLock { $0.places.oldestAbove }
            let oldest = try connection.query(OperatorSQL.oldestMessage, [.int(above)]).first?.int(0)
            marks.withLock { $0.places.lookedForOldest(oldest, now: now) }
            return oldest
        }
    }

    /// Counts a range on top of what others have, up to the bound of all together.
    static func add(
        to count: BoundedCount, _ statement: String, _ values: [MariaDBValue], bound: Int = countBound,
        on connection: isolated MariaDBConnection
    ) throws -> BoundedCount {
        guard !count.isAtLeast else { return count }
        // One more than the bound tells whether there is more.
        let room = bound - count.value + 1
        let found = Int(try connection.query(statement, values + [.int(room)]).first?.int(0) ?? 0)
        return found < room ? BoundedCount(count.value + found) : BoundedCount(bound, isAtLeast: true)
    }

    private static func tables(on connection: isolated MariaDBConnection) throws -> [ShardReport.Table] {
        try connection.query(OperatorSQL.tables).map { row in
            .init(
                name: try row.text(0), estimatedRows: try row.int(1), estimatedBytes: try row.int(2))
        }
    }

    /// Refused without PROCESS: 1227, or a table that this user cannot see.
    private static func historyListLength(on connection: isolated MariaDBConnection) throws -> Int? {
        do {
            return try connection.query(OperatorSQL.historyListLength).first.map { Int(try $0.int(0)) }
        } catch let error as MariaDBError where [1044, 1109, 1142, 1227].contains(error.code) {
            return nil
        }
    }
}
