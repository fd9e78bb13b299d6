import KiteQCore
import Synchronization

/// What the brokers of one process share of an in-memory store.
final class InMemoryData: Sendable {
    private struct Brokers {
        var living: [Int64: BrokerIdentity] = [:]
        /// Every life, also those that ended.
        var lives: [Int64: Life] = [:]
        var presence: [Int64: Set<String>] = [:]
        var last: Int64 = 0
        var bindings: [String: [Binding]] = [:]
    }

    struct Life: Sendable {
        var broker: BrokerIdentity
        var joinedAt: Timestamp
        var state = BrokerLife.State.alive
    }

    let shardCount: Int
    private let shards: [ShardBox]
    private let brokers = Mutex(Brokers())
    private let operators = Mutex(InMemoryOperatorData())
    private let clockLead = Mutex<Timestamp>(0)

    private final class ShardBox: Sendable {
        let rows = Mutex(InMemoryShard())
    }

    init(shards count: Int) {
        shardCount = count
        shards = (0..<count).map { _ in ShardBox() }
    }

    /// As a database server's clock would say.
    var now: Timestamp { clockLead.withLock { $0 } + StoreClock.wall() }

    /// From now on the clock is so far ahead of the machine's, milliseconds.
    func setClock(ahead lead: Timestamp) {
        clockLead.withLock { $0 = lead }
        for shard in 0..<shardCount { withShard(shard) { $0.clockLead = lead } }
    }

    func withShard<Result: Sendable>(_ shard: Int, _ body: (inout InMemoryShard) -> Result) -> Result {
        shards[shard].rows.withLock { rows in body(&rows) }
    }

    func withOperators<Result: Sendable>(_ body: (inout InMemoryOperatorData) -> Result) -> Result {
        operators.withLock { data in body(&data) }
    }

    // MARK: Incarnations

    /// - Parameter earlier: what the same process was before; 0: nothing.
    /// - Throws: `StoreError` with `nameTaken` where another one lives under the name. Nobody's lease runs out here.
    func join(_ broker: BrokerIdentity, after earlier: Int64, takingOver: Bool) throws -> Int64 {
        try brokers.withLock { brokers in
            if !takingOver,
                let other = brokers.living.first(where: { $0.key != earlier && $0.value.name == broker.name })
            {
                throw StoreError(
                    .nameTaken,
                    "a broker of the name \(broker.name) works already (incarnation \(other.key), at \(other.value.address)): stop it, give this one another name, or end it with --take-over"
                )
            }
            for (number, life) in brokers.living where life.name == broker.name {
                brokers.living[number] = nil
                brokers.lives[number]?.state = .dead
            }
            brokers.last += 1
            brokers.living[brokers.last] = broker
            brokers.lives[brokers.last] = Life(broker: broker, joinedAt: now)
            return brokers.last
        }
    }

    func leave(_ incarnation: Int64) {
        brokers.withLock { brokers in
            if brokers.living.removeValue(forKey: incarnation) != nil { brokers.lives[incarnation]?.state = .gone }
            brokers.presence[incarnation] = nil
        }
    }

    /// The incarnations that are neither dead nor gone.
    var living: Set<Int64> { brokers.withLock { Set($0.living.keys) } }

    var lives: [Int64: Life] { brokers.withLock { $0.lives } }

    // MARK: Presence

    /// The groups of each living broker.
    var presence: [Int64: Set<String>] {
        brokers.withLock { brokers in brokers.presence.filter { brokers.living[$0.key] != nil } }
    }

    func setPresence(_ groups: Set<String>, of incarnation: Int64) {
        brokers.withLock { $0.presence[incarnation] = groups }
    }

    func presence(of incarnation: Int64) -> (here: Set<String>, elsewhere: Set<String>) {
        brokers.withLock { brokers in
            var elsewhere: Set<String> = []
            for (number, groups) in brokers.presence where number != incarnation && brokers.living[number] != nil {
                elsewhere.formUnion(groups)
            }
            return (brokers.presence[incarnation] ?? [], elsewhere)
        }
    }

    // MARK: Bindings

    func saveBindings(_ bindings: [Binding], topics: [String]) {
        brokers.withLock { brokers in
            for topic in topics { brokers.bindings[topic] = bindings.filter { $0.topic == topic } }
        }
    }

    func savedBindings(topics: [String]) -> [Binding]? {
        brokers.withLock { brokers in
            let known = topics.compactMap { brokers.bindings[$0] }
            return known.isEmpty ? nil : known.flatMap { $0 }
        }
    }
}
