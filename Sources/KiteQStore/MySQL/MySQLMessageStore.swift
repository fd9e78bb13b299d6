package import KiteQCore
package import Logging
package import MariaDB
import Synchronization

/// Messages in the tables of MySQL or MariaDB, in as many databases as there are shards.
package final class MySQLMessageStore: MessageStore {
    package let shardMap: ShardMap
    let configuration: MySQLStoreConfiguration
    let shards: [Shard]
    let logger: Logger
    let life = Mutex(Membership())

    /// Which broker this is in the shards that it has joined.
    struct Membership: Sendable {
        var broker: BrokerIdentity?
        /// 0 before it has joined any.
        var number: Int64 = 0
        /// All numbers that this process has had: no other process has them.
        var own: Set<Int64> = []
    }

    package init(_ configuration: MySQLStoreConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        shardMap = ShardMap(shards: configuration.shards.count)
        shards = configuration.shards.indices.map { Shard(number: $0, configuration: configuration, logger: logger) }
    }

    // MARK: Life

    package func run() async throws {
        // Not children of this task: when it is cancelled, saying goodbye still takes a connection.
        let pools = Task {
            await withTaskGroup(of: Void.self) { tasks in
                for pool in shards.flatMap({ [$0.pool, $0.leasePool, $0.operatorPool] }) {
                    tasks.addTask { await pool.run() }
                }
            }
        }
        do {
            try await Task.sleep(for: .seconds(Int32.max))
        } catch {
            // The broker stops.
        }
        await Task { await leave() }.value
        pools.cancel()
        await pools.value
    }

    /// Says in each shard that this incarnation is gone: others need not wait for its lease to run out.
    private func leave() async {
        for shard in shards where shard.incarnation != 0 {
            do {
                try await shard.leave()
                CrashPoint.reached(.leaving)
            } catch {
                logger.warning("could not say goodbye to shard \(shard.number), its lease will run out: \(error)")
            }
        }
    }

    package func probe(shard: Int) async throws {
        try await shards[shard].probe()
    }

    /// Connections and callers of each shard's pool.
    package var pools: [MariaDBPool.Statistics] { shards.map(\.pool.statistics) }

    package var activity: [StoreActivity] {
        shards.map { StoreActivity(pool: $0.poolUse(limit: configuration.connectionsPerShard), calls: $0.times.all) }
    }

    private func measure<Result: Sendable>(
        _ kind: StoreActivity.Kind, _ number: Int, _ call: (Shard) async throws -> Result
    ) async throws -> Result {
        let shard = shards[number]
        return try await shard.times.measure(kind) { try await call(shard) }
    }

    // MARK: Messages

    package func insert(_ batch: [Insertion], shard: Int) async throws -> [Insertion.Outcome] {
        try await measure(.insert, shard) { try await $0.insert(batch) }
    }

    package func decide(
        _ batch: [TransactionDecision], shard: Int,
        route: @escaping @Sendable (_ topic: String, _ messageType: String) -> Route
    ) async throws -> [TransactionDecision.Outcome] {
        try await measure(.decide, shard) { try await $0.decide(batch, route: route) }
    }

    package func settle(_ batch: [Settlement], shard: Int) async throws -> [Int64] {
        try await measure(.settle, shard) { try await $0.settle(batch) }
    }

    // MARK: Ownership

    package var lease: Duration { configuration.lease }

    package func renewLease(shard: Int) async throws {
        try await measure(.lease, shard) { try await $0.renew(lease: configuration.lease) }
    }

    package func setPresence(_ groups: Set<String>, shard: Int) async throws {
        try await measure(.survey, shard) { try await $0.setPresence(groups) }
    }

    package func watchLeases(shard: Int) async throws -> [String] {
        try await measure(.lease, shard) { try await $0.watchLeases() }
    }

    package func releaseDead(shard: Int, limit: Int) async throws -> Int {
        try await measure(.survey, shard) { try await $0.releaseDead(limit: limit) }
    }

    package func survey(shard: Int, now: Timestamp) async throws -> ShardSurvey {
        try await measure(.survey, shard) { try await $0.survey(now: now) }
    }

    package func resolveUncertain(shard: Int) async throws -> Int64? {
        try await measure(.survey, shard) { try await $0.resolveUncertain() }
    }

    // MARK: Recovery

    package func freshBacklog(
        of group: String, shard: Int, after: Int64, limit: Int, includingDead: Bool
    ) async throws -> [FreshMessage] {
        try await measure(.scan, shard) {
            try await $0.freshBacklog(of: group, after: after, limit: limit, includingDead: includingDead)
        }
    }

    package func deliveries(
        of group: String, shard: Int, in range: DeliveryRange, limit: Int
    ) async throws -> [Int64] {
        try await measure(.scan, shard) { try await $0.deliveries(of: group, in: range, limit: limit) }
    }

    package func load(_ seqs: [Int64], for group: String, shard: Int) async throws -> [StoredMessage] {
        try await measure(.load, shard) { try await $0.load(seqs, for: group) }
    }

    package func heldDeliveries(shard: Int, after: Int64, limit: Int) async throws -> [HeldDelivery] {
        try await measure(.scan, shard) { try await $0.heldDeliveries(after: after, limit: limit) }
    }

    package func expiredFresh(
        shard: Int, after cursor: SweepCursor?, now: Timestamp, limit: Int
    ) async throws -> (expired: [FreshMessage], next: SweepCursor?) {
        try await measure(.sweep, shard) { try await $0.expiredFresh(after: cursor, now: now, limit: limit) }
    }

    package func buryExpiredDeliveries(
        shard: Int, after seq: Int64, now: Timestamp, limit: Int
    ) async throws -> (buried: Int, next: Int64?) {
        try await measure(.sweep, shard) { try await $0.buryExpiredDeliveries(after: seq, now: now, limit: limit) }
    }

    package func dueTransactions(
        shard: Int, after place: DueTransaction.Place?, now: Timestamp, limit: Int
    ) async throws -> [DueTransaction] {
        try await measure(.transactions, shard) { try await $0.dueTransactions(after: place, now: now, limit: limit) }
    }

    package func reschedule(_ checks: [TransactionCheck], shard: Int) async throws -> Set<Int64> {
        try await measure(.transactions, shard) { try await $0.reschedule(checks) }
    }

    package func purge(
        shard: Int, decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int
    ) async throws -> Int {
        let gone = try await measure(.sweep, shard) {
            try await $0.purge(decidedBefore: decidedBefore, deadLettersBefore: deadLettersBefore, limit: limit)
        }
        guard shard == 0 else { return gone }
        return try await gone + shards[0].purgeOperators(auditRetention: configuration.auditRetention, limit: limit)
    }

    // MARK: Bindings

    package func saveBindings(_ bindings: [Binding], topics: [String]) async throws {
        try await shards[0].saveBindings(bindings, topics: topics)
    }

    package func savedBindings(topics: [String]) async throws -> [Binding]? {
        // Not waited for where it is known to be away.
        guard shards[0].incarnation != 0 else {
            throw StoreError(.unavailable, "shard 0, which has the bindings as last known, is away")
        }
        return try await shards[0].savedBindings(topics: topics)
    }
}
