package import MariaDB

/// Where the shards are, and how the store uses them.
package struct MySQLStoreConfiguration: Sendable {
    /// One database for each shard, in order; their order is that of `kite_slot`.
    package var shards: [MariaDBConfiguration]
    /// Connections to each shard.
    package var connectionsPerShard = 6
    package var waitTimeout: Duration = .seconds(5)
    /// What to do where the server's settings would lose acknowledged messages in a crash.
    package var durability = Durability.warn
    package var lease: Duration = .seconds(10)

    package enum Durability: String, Sendable, CaseIterable {
        case warn, refuse
    }

    package init(shards: [MariaDBConfiguration]) {
        precondition((1...256).contains(shards.count), "there are 1 to 256 shards")
        self.shards = shards
    }
}
