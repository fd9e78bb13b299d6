package import MariaDB

/// Where the shards are, and how the store uses them.
package struct MySQLStoreConfiguration: Sendable {
    /// One database for each shard, in order; their order is that of `kite_slot`.
    package var shards: [MariaDBConfiguration]
    /// Connections to each shard.
    package var connectionsPerShard = 6
    /// With those that renew the lease, and those for operators.
    package var mostConnectionsPerShard: Int { connectionsPerShard + 1 + Shard.operatorConnections }
    package var waitTimeout: Duration = .seconds(5)
    /// What to do where the server's settings would lose acknowledged messages in a crash.
    package var durability = Durability.warn
    package var lease: Duration = .seconds(10)
    /// How long the audit log is kept.
    package var auditRetention: Duration = .seconds(365 * 86_400)

    /// How long a statement waits for a row, or for a table as a whole, that somebody has locked, seconds: the least that both
    /// servers know, for whoever publishes has two in all (`publish.wait`).
    static let lockWait = 1
    /// The least that an answer must be waited for, seconds: longer than for a lock, which MySQL counts in whole seconds and may
    /// wait for one more, or that would end the connection.
    package static let leastReadTimeout = lockWait + 2

    package enum Durability: String, Sendable, CaseIterable {
        case warn, refuse
    }

    package init(shards: [MariaDBConfiguration]) {
        precondition((1...256).contains(shards.count), "there are 1 to 256 shards")
        let limits = Self.sessionLimits()
        self.shards = shards.map { shard in
            var shard = shard
            // One that comes from another configuration has it already.
            if !shard.sessionStatements.contains(limits) { shard.sessionStatements.insert(limits, at: 0) }
            return shard
        }
    }

    /// The statement that has the server end a session which says nothing for so long. A broker that was stopped, or that the
    /// network has lost, in the middle of a transaction holds row locks that others wait for; the transaction goes with the
    /// session.
    ///
    /// MariaDB has a limit of its own inside of a transaction; MySQL takes that part for a comment, and waits for the whole
    /// time. Nothing of ours thinks between two statements of a transaction, and the pool lets no session be idle for so long
    /// outside of one (`MariaDBPoolConfiguration.idleTimeout`).
    static func sessionLimits(idle: Int = 60, idleInTransaction: Int = 10) -> String {
        "SET SESSION wait_timeout = \(idle) /*M!100300 , SESSION idle_transaction_timeout = \(idleInTransaction) */"
    }
}
