/// What a store did in one shard since its start, and how its connections are. To ask for it makes no statement.
package struct StoreActivity: Sendable {
    package struct Calls: Sendable {
        /// Those that succeeded, the wait for a connection included.
        package var times = LatencyHistogram()
        package var failures = 0

        package init() {}
    }

    /// What a call is for.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Messages,
        case insert
        /// answers about half ones,
        case decide
        /// and what became of deliveries.
        case settle
        /// Messages by their keys.
        case load
        /// Keys of what waits.
        case scan
        /// This broker's own and those of others.
        case lease
        /// Who is where, what is due, what dead brokers left.
        case survey
        /// What nobody comes for.
        case sweep
        /// Half messages that are due to be asked about.
        case transactions
        /// What people ask and do.
        case `operator`
    }

    package var pool: ShardReport.PoolUse
    package var calls: [Kind: Calls]

    package init(pool: ShardReport.PoolUse, calls: [Kind: Calls] = [:]) {
        self.pool = pool
        self.calls = calls
    }
}
