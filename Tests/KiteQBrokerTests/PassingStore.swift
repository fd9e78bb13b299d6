import KiteQCore
import KiteQStore

/// A store before another one, of which it passes on all that it does not define itself.
protocol PassingStore: MessageStore {
    var base: InMemoryMessageStore { get }
}

extension PassingStore {
    var shardMap: ShardMap { base.shardMap }
    func run() async throws { try await base.run() }
    func join(as broker: BrokerIdentity, takingOver: Bool) async throws -> StoreEntry {
        try await base.join(as: broker, takingOver: takingOver)
    }
    func joinIfMissing(shard: Int) async throws -> Int64? { try await base.joinIfMissing(shard: shard) }
    func probe(shard: Int) async throws { try await base.probe(shard: shard) }
    func insert(
        _ batch: [Insertion], shard: Int, deadline: ContinuousClock.Instant
    ) async throws -> [Insertion.Outcome] { try await base.insert(batch, shard: shard, deadline: deadline) }
    func decide(
        _ batch: [TransactionDecision], shard: Int, route: @escaping @Sendable (String, String) -> Route?
    ) async throws -> [TransactionDecision.Outcome] { try await base.decide(batch, shard: shard, route: route) }
    func settle(_ batch: [Settlement], shard: Int) async throws -> [Int64] {
        try await base.settle(batch, shard: shard)
    }
    func checkMemory(shard: Int, bindings: @Sendable () -> [Binding]) async throws -> MemoryCheck {
        try await base.checkMemory(shard: shard, bindings: bindings)
    }
    func pausedGroups() async throws -> Set<String> { try await base.pausedGroups() }
    var lease: Duration { base.lease }
    func renewLease(shard: Int) async throws -> ServerClock { try await base.renewLease(shard: shard) }
    func setPresence(_ groups: Set<String>, shard: Int) async throws {
        try await base.setPresence(groups, shard: shard)
    }
    func watchLeases(shard: Int) async throws -> [String] { try await base.watchLeases(shard: shard) }
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
    func ownFresh(
        of groups: Set<BindingName>, shard: Int, after place: FreshPlace?, limit: Int
    ) async throws -> (messages: [FreshMessage], next: FreshPlace?) {
        try await base.ownFresh(of: groups, shard: shard, after: place, limit: limit)
    }
    func heldDeliveries(shard: Int, after: Int64, limit: Int) async throws -> [HeldDelivery] {
        try await base.heldDeliveries(shard: shard, after: after, limit: limit)
    }
    func expiredFresh(
        shard: Int, after cursor: SweepCursor?, now: Timestamp, limit: Int
    ) async throws -> (expired: [ExpiredMessage], next: SweepCursor?) {
        try await base.expiredFresh(shard: shard, after: cursor, now: now, limit: limit)
    }
    func removeUnowed(shard: Int, after seq: Int64, limit: Int) async throws -> (removed: Int, next: Int64?) {
        try await base.removeUnowed(shard: shard, after: seq, limit: limit)
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
    func saveBindings(_ bindings: [Binding], topics: [String]) async throws {
        try await base.saveBindings(bindings, topics: topics)
    }
    func savedBindings(topics: [String]) async throws -> [Binding]? { try await base.savedBindings(topics: topics) }
    func undecidedByGroup(shard: Int, upTo limit: Int) async throws -> [String: Int] {
        try await base.undecidedByGroup(shard: shard, upTo: limit)
    }
    func waiting(for group: String, shard: Int, upTo limit: Int) async throws -> Int {
        try await base.waiting(for: group, shard: shard, upTo: limit)
    }
    func addSamples(_ samples: [TopicSample]) async throws { try await base.addSamples(samples) }
}
