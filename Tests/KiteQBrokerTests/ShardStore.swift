import KiteQCore
import KiteQStore
import NIOConcurrencyHelpers

/// A store some of whose shards are away, at its start or later.
final class ShardStore: PassingStore {
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

    func watchLeases(shard: Int) async throws -> [String] {
        try reach(shard)
        return try await base.watchLeases(shard: shard)
    }

    /// A third of a second between renewals.
    var lease: Duration { .seconds(1) }
}
