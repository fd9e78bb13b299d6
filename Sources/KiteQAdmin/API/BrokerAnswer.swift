import KiteQBroker
import KiteQCore

struct BrokerListAnswer: Encodable, Sendable {
    var items: [BrokerAnswer]
    var unreachable: [UnreachableShard]
}

/// One life of a broker.
struct BrokerAnswer: Encodable, Sendable {
    enum State: String, Encodable, Sendable { case alive, dead, gone }

    var name: String
    var address: String
    var incarnation: String
    var state: State
    var joinedAt: Time
    var isThis: Bool
    var leases: [LeaseAnswer]
    var groups: [String]

    /// - Parameter scope: whose groups are named.
    init(_ life: BrokerLife, isThis: Bool, _ scope: NameScope) {
        name = life.name
        address = life.address
        // A number of 64 bits, which JavaScript would round.
        incarnation = "\(life.number)"
        state =
            switch life.state {
            case .alive: .alive
            case .dead: .dead
            case .gone: .gone
            }
        joinedAt = life.joinedAt.time
        self.isThis = isThis
        leases = life.leases.map { LeaseAnswer(shard: $0.shard, remaining: Double($0.remaining) / 1_000) }
        groups = life.groups.filter { scope.has(group: $0) }
    }
}

struct LeaseAnswer: Encodable, Sendable {
    var shard: Int
    /// Seconds; 0 or less: it has run out.
    var remaining: Double
}

extension ShardStatus {
    /// Seconds that its lease still holds; 0 where it holds none.
    var leaseSeconds: Double { Double(leaseRemaining ?? 0) / 1e9 }
}
