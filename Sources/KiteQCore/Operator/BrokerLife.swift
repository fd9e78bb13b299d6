/// One life of a broker, as the shards know it.
///
/// A life that ended is remembered for about an hour.
package struct BrokerLife: Sendable, Hashable {
    /// The raw values are stored.
    package enum State: UInt8, Sendable, Hashable {
        case alive = 0
        /// Its lease ran out, or it was started again: others take over what it left.
        case dead = 1
        /// It said goodbye.
        case gone = 2
    }

    /// Its standing in one shard.
    package struct Lease: Sendable, Hashable {
        package var shard: Int
        package var state: State
        /// Milliseconds by that server's clock; negative: run out for so long.
        package var remaining: Int64

        package init(shard: Int, state: State, remaining: Int64) {
            self.shard = shard
            self.state = state
            self.remaining = remaining
        }
    }

    /// The incarnation: never used again.
    package var number: Int64
    /// The same in each life of a broker.
    package var name: String
    /// Where clients reach it, `host:port`.
    package var address: String
    /// By its own clock.
    package var joinedAt: Timestamp
    /// One for each shard that answered and knows it, by shard.
    package var leases: [Lease]
    /// Groups that have clients there, sorted.
    package var groups: [String]

    package init(
        number: Int64, name: String, address: String, joinedAt: Timestamp, leases: [Lease], groups: [String]
    ) {
        self.number = number
        self.name = name
        self.address = address
        self.joinedAt = joinedAt
        self.leases = leases
        self.groups = groups
    }

    /// Alive only where each shard says so: what one shard has ended, the broker leaves in all.
    package var state: State {
        if leases.contains(where: { $0.state == .dead }) { return .dead }
        return leases.contains { $0.state == .gone } ? .gone : .alive
    }
}
