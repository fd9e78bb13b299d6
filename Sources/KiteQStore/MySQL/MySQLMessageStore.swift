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
                for shard in shards {
                    tasks.addTask { await shard.servers.run() }
                    for pool in [shard.pool, shard.leasePool, shard.operatorPool] {
                        tasks.addTask { await pool.run() }
                    }
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

    package func insert(
        _ batch: [Insertion], shard: Int, deadline: ContinuousClock.Instant
    ) async throws -> [Insertion.Outcome] {
        try await measure(.insert, shard) { try await $0.insert(batch, until: deadline) }
    }

    package func decide(
        _ batch: [TransactionDecision], shard: Int,
        route: @escaping @Sendable (_ topic: String, _ messageType: String) -> Route?
    ) async throws -> [TransactionDecision.Outcome] {
        try await measure(.decide, shard) { try await $0.decide(batch, route: route) }
    }

    package func settle(_ batch: [Settlement], shard: Int) async throws -> [Int64] {
        try await measure(.settle, shard) { try await $0.settle(batch) }
    }

    // MARK: Ownership

    package var lease: Duration { configuration.lease }

    @discardableResult
    package func renewLease(shard: Int) async throws -> ServerClock {
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

    package func survey(shard: Int, now: Timestamp, latest: Timestamp) async throws -> ShardSurvey {
        try await measure(.survey, shard) { try await $0.survey(now: now, latest: latest) }
    }

    package func resolveUncertain(shard: Int) async throws -> Int64? {
        try await measure(.survey, shard) { try await $0.resolveUncertain() }
    }

    package func checkMemory(shard: Int, bindings: @Sendable () -> [Binding]) async throws -> MemoryCheck {
        var check = try await measure(.survey, shard) { try await $0.checkMemory() }
        let search = shards[shard].nextRoutesToSearch(8, every: 30_000_000_000, now: StoreClock.monotonic())
        for id in search {
            guard let route = try await lostRoute(id, shard: shard, bindings) else { continue }
            try await shards[shard].store(route)
            shards[shard].noteReread()
            check.unknownRoutes.remove(id)
            check.routesWritten += 1
        }
        if check.routesWritten > 0 {
            logger.warning(
                "wrote \(check.routesWritten) routes again that kite_route did not have any more: was the database put back to an earlier state?",
                metadata: ["shard": "\(shard)"])
        }
        // Last: nothing fails after it.
        check.mustReread = shards[shard].takeReread()
        check.hasMoved = shards[shard].takeMove()
        return check
    }

    /// As the other shards know it, or as the bindings say.
    private func lostRoute(_ id: RouteID, shard: Int, _ bindings: () -> [Binding]) async throws -> Route? {
        for other in shards where other.number != shard {
            do {
                if let route = try await other.knowledge(of: id) { return route }
            } catch {
                // It does not answer now; another time it may.
                logger.debug("shard \(other.number) cannot be asked for a lost route: \(error)")
            }
        }
        // They are in force: what was over a bound is not among them.
        let table = BindingTable(bindings(), isBounded: false)
        for (topic, messageType) in try await shards[shard].subjects(of: id) {
            let groups = table.groups(topic: topic, messageType: messageType).map {
                Route.Member(group: $0.group, persistent: $0.persistent)
            }
            if let route = RouteSearch.route(id, among: groups) { return route }
        }
        return nil
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

    package func load(
        _ seqs: [Int64], for group: String, shard: Int, maxBytes: Int
    ) async throws -> (messages: [StoredMessage], count: Int) {
        try await measure(.load, shard) { try await $0.load(seqs, for: group, maxBytes: maxBytes) }
    }

    package func ownFresh(
        of groups: Set<BindingName>, shard: Int, after place: FreshPlace?, limit: Int
    ) async throws -> (messages: [FreshMessage], next: FreshPlace?) {
        try await measure(.scan, shard) { try await $0.ownFresh(of: groups, after: place, limit: limit) }
    }

    package func heldDeliveries(shard: Int, after: Int64, limit: Int) async throws -> [HeldDelivery] {
        try await measure(.scan, shard) { try await $0.heldDeliveries(after: after, limit: limit) }
    }

    package func expiredFresh(
        shard: Int, after cursor: SweepCursor?, now: Timestamp, limit: Int
    ) async throws -> (expired: [ExpiredMessage], next: SweepCursor?) {
        try await measure(.sweep, shard) { try await $0.expiredFresh(after: cursor, now: now, limit: limit) }
    }

    package func buryExpiredDeliveries(
        shard: Int, after seq: Int64, now: Timestamp, limit: Int
    ) async throws -> (buried: [ExpiredDelivery], next: Int64?) {
        try await measure(.sweep, shard) { try await $0.buryExpiredDeliveries(after: seq, now: now, limit: limit) }
    }

    package func removeUnowed(shard: Int, after seq: Int64, limit: Int) async throws -> (removed: Int, next: Int64?) {
        try await measure(.sweep, shard) { try await $0.removeUnowed(after: seq, limit: limit) }
    }

    package func dueTransactions(
        shard: Int, after place: DueTransaction.Place?, now: Timestamp, latest: Timestamp, limit: Int
    ) async throws -> [DueTransaction] {
        try await measure(.transactions, shard) {
            try await $0.dueTransactions(after: place, now: now, latest: latest, limit: limit)
        }
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
