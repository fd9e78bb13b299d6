import KiteQCore
import KiteQStore
import NIOConcurrencyHelpers

/// A store some of whose shards are away, at its start or later.
final class ShardStore: MessageStore {
    private struct State {
        var away: Set<Int>
        var joined: Set<Int> = []
        /// What the probe of a shard meets.
        var unwritable: [Int: StoreError] = [:]
        /// The greatest seq of the shards that are joined later.
        var floor: Int64 = 0
        var renewals = 0
        /// Once.
        var afterJoin: (@Sendable () async throws -> Void)?
    }

    let base: InMemoryMessageStore
    private let state: NIOLockedValueBox<State>

    init(shards: Int, away: Set<Int>, over base: InMemoryMessageStore? = nil) {
        self.base = base ?? InMemoryMessageStore(shards: shards)
        state = NIOLockedValueBox(State(away: away))
    }

    func setAway(_ shards: Set<Int>) { state.withLockedValue { $0.away = shards } }
    func setUnwritable(_ shards: [Int: StoreError]) { state.withLockedValue { $0.unwritable = shards } }
    var renewals: Int { state.withLockedValue { $0.renewals } }
    func afterJoin(_ body: @escaping @Sendable () async throws -> Void) {
        state.withLockedValue { $0.afterJoin = body }
    }
    func setFloor(_ floor: Int64) { state.withLockedValue { $0.floor = floor } }

    private func reach(_ shard: Int) throws {
        guard state.withLockedValue({ !$0.away.contains(shard) }) else {
            throw StoreError(.unavailable, "shard \(shard): no database connection")
        }
    }

    func join(as broker: BrokerIdentity, takingOver: Bool) async throws -> StoreEntry {
        let away = state.withLockedValue { $0.away }
        guard away.count < shardMap.shardCount else {
            throw StoreError(.unavailable, "shard 0: no database connection; nor can the others be used")
        }
        var entry = try await base.join(as: broker, takingOver: takingOver)
        for shard in away { entry.missing[shard] = StoreError(.unavailable, "shard \(shard): no database connection") }
        let then = state.withLockedValue { state in
            state.joined = Set(0..<shardMap.shardCount).subtracting(away)
            defer { state.afterJoin = nil }
            return state.afterJoin
        }
        try await then?()
        return entry
    }

    func joinIfMissing(shard: Int) async throws -> Int64? {
        try reach(shard)
        return state.withLockedValue { $0.joined.insert(shard).inserted ? $0.floor : nil }
    }

    func probe(shard: Int) async throws {
        try reach(shard)
        if let error = state.withLockedValue({ $0.unwritable[shard] }) { throw error }
    }

    func insert(
        _ batch: [Insertion], shard: Int, deadline: ContinuousClock.Instant
    ) async throws -> [Insertion.Outcome] {
        try reach(shard)
        if let error = state.withLockedValue({ $0.unwritable[shard] }) { throw error }
        precondition(state.withLockedValue { $0.joined.contains(shard) }, "nothing is stored where nobody has joined")
        return try await base.insert(batch, shard: shard, deadline: deadline)
    }

    func renewLease(shard: Int) async throws -> ServerClock {
        try reach(shard)
        let clock = try await base.renewLease(shard: shard)
        state.withLockedValue { $0.renewals += 1 }
        return clock
    }

    func savedBindings(topics: [String]) async throws -> [Binding]? {
        try reach(0)
        return try await base.savedBindings(topics: topics)
    }

    func saveBindings(_ bindings: [Binding], topics: [String]) async throws {
        try reach(0)
        try await base.saveBindings(bindings, topics: topics)
    }

    func pausedGroups() async throws -> Set<String> {
        try reach(0)
        return try await base.pausedGroups()
    }

    // MARK: The rest as it is

    var shardMap: ShardMap { base.shardMap }
    /// A third of a second between renewals.
    var lease: Duration { .seconds(1) }
    func run() async throws { try await base.run() }
    func decide(
        _ batch: [TransactionDecision], shard: Int, route: @escaping @Sendable (String, String) -> Route?
    ) async throws -> [TransactionDecision.Outcome] { try await base.decide(batch, shard: shard, route: route) }
    func settle(_ batch: [Settlement], shard: Int) async throws -> [Int64] {
        try await base.settle(batch, shard: shard)
    }
    func setPresence(_ groups: Set<String>, shard: Int) async throws {
        try await base.setPresence(groups, shard: shard)
    }
    func watchLeases(shard: Int) async throws -> [String] {
        try reach(shard)
        return try await base.watchLeases(shard: shard)
    }
    func releaseDead(shard: Int, limit: Int) async throws -> Int {
        try await base.releaseDead(shard: shard, limit: limit)
    }
    func survey(shard: Int, now: Timestamp, latest: Timestamp) async throws -> ShardSurvey {
        try await base.survey(shard: shard, now: now, latest: latest)
    }
    func resolveUncertain(shard: Int) async throws -> Int64? { try await base.resolveUncertain(shard: shard) }
    func freshBacklog(
        of group: String, shard: Int, after: Int64, limit: Int, includingDead: Bool
    ) async throws -> [FreshMessage] {
        try await base.freshBacklog(of: group, shard: shard, after: after, limit: limit, includingDead: includingDead)
    }
    func deliveries(of group: String, shard: Int, in range: DeliveryRange, limit: Int) async throws -> [Int64] {
        try await base.deliveries(of: group, shard: shard, in: range, limit: limit)
    }
    func load(
        _ seqs: [Int64], for group: String, shard: Int, maxBytes: Int
    ) async throws -> (messages: [StoredMessage], count: Int) {
        try await base.load(seqs, for: group, shard: shard, maxBytes: maxBytes)
    }
    func heldDeliveries(shard: Int, after: Int64, limit: Int) async throws -> [HeldDelivery] {
        try await base.heldDeliveries(shard: shard, after: after, limit: limit)
    }
    func expiredFresh(
        shard: Int, after cursor: SweepCursor?, now: Timestamp, limit: Int
    ) async throws -> (expired: [ExpiredMessage], next: SweepCursor?) {
        try await base.expiredFresh(shard: shard, after: cursor, now: now, limit: limit)
    }
    func buryExpiredDeliveries(
        shard: Int, after seq: Int64, now: Timestamp, limit: Int
    ) async throws -> (buried: [ExpiredDelivery], next: Int64?) {
        try await base.buryExpiredDeliveries(shard: shard, after: seq, now: now, limit: limit)
    }
    func dueTransactions(
        shard: Int, after place: DueTransaction.Place?, now: Timestamp, latest: Timestamp, limit: Int
    ) async throws -> [DueTransaction] {
        try await base.dueTransactions(shard: shard, after: place, now: now, latest: latest, limit: limit)
    }
    func reschedule(_ checks: [TransactionCheck], shard: Int) async throws -> Set<Int64> {
        try await base.reschedule(checks, shard: shard)
    }
    func purge(shard: Int, decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int) async throws -> Int {
        try await base.purge(
            shard: shard, decidedBefore: decidedBefore, deadLettersBefore: deadLettersBefore, limit: limit)
    }
    func addSamples(_ samples: [TopicSample]) async throws { try await base.addSamples(samples) }
}
