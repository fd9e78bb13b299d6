/// What one shard has, and how its server answers.
package struct ShardReport: Sendable, Hashable {
    package var shard: Int
    /// Where it is, without the password.
    package var database: String
    package var pool: PoolUse
    /// Why ``contents`` is nil, in a sentence; nil where it is not.
    package var failure: String?
    package var contents: Contents?
    /// Routes that messages refer to, and whose groups nobody knows.
    package var unknownRoutes: Set<RouteID> = []
    /// Two of its servers that both take writes and are no cluster, in a sentence; nil where there are none.
    package var conflict: String?

    package init(shard: Int, database: String, pool: PoolUse, failure: String? = nil, contents: Contents? = nil) {
        self.shard = shard
        self.database = database
        self.pool = pool
        self.failure = failure
        self.contents = contents
    }

    /// The connections that messages go through.
    package struct PoolUse: Sendable, Hashable {
        package var open: Int
        package var idle: Int
        /// Callers that wait for one.
        package var waiting: Int
        package var limit: Int
        /// Attempts to connect that failed, since the broker was started.
        package var failedConnects: Int

        package init(open: Int, idle: Int, waiting: Int, limit: Int, failedConnects: Int) {
            self.open = open
            self.idle = idle
            self.waiting = waiting
            self.limit = limit
            self.failedConnects = failedConnects
        }
    }

    package struct Contents: Sendable, Hashable {
        /// A round trip to the server and back.
        package var answerTime: Duration
        /// `MySQL` or `MariaDB`.
        package var product: String
        /// As the server says it.
        package var version: String
        /// Unix milliseconds by the server's clock.
        package var serverTime: Timestamp
        /// What the server's statistics say, which may be far off: all of KiteQ's tables.
        package var tables: [Table]
        /// By state, exact up to 100,000 each.
        package var half: BoundedCount
        package var fresh: BoundedCount
        package var tracked: BoundedCount
        package var deadLetters: BoundedCount
        /// When the oldest message that is not done was accepted, half ones included; nil where there is none.
        package var oldestAcceptedAt: Timestamp?
        /// Row versions that the server has not purged yet. Nil where this user may not see it (it takes the privilege PROCESS).
        package var historyListLength: Int?

        package init(
            answerTime: Duration, product: String, version: String, serverTime: Timestamp, tables: [Table],
            half: BoundedCount, fresh: BoundedCount, tracked: BoundedCount, deadLetters: BoundedCount,
            oldestAcceptedAt: Timestamp?, historyListLength: Int?
        ) {
            self.answerTime = answerTime
            self.product = product
            self.version = version
            self.serverTime = serverTime
            self.tables = tables
            self.half = half
            self.fresh = fresh
            self.tracked = tracked
            self.deadLetters = deadLetters
            self.oldestAcceptedAt = oldestAcceptedAt
            self.historyListLength = historyListLength
        }

        package var estimatedBytes: Int64 { tables.reduce(0) { $0 + $1.estimatedBytes } }
    }

    package struct Table: Sendable, Hashable {
        package var name: String
        package var estimatedRows: Int64
        /// Data and indexes.
        package var estimatedBytes: Int64

        package init(name: String, estimatedRows: Int64, estimatedBytes: Int64) {
            self.name = name
            self.estimatedRows = estimatedRows
            self.estimatedBytes = estimatedBytes
        }
    }
}
