/// Where messages live from their store ack to their last acknowledgement. Its unit is a batch of one shard.
///
/// Who works with a store asks for the part of it that it needs; a store is all of them.
///
/// Every conforming store passes the same suite (`MessageStoreConformance`). All calls may be made from many tasks at once;
/// calls of one shard overlap freely. A call that throws `StoreError` changed nothing or says that this is unknown
/// (`isOutcomeUnknown`); the caller then acknowledges nothing.
package protocol MessageStore: StoreMembership, LeaseStore, PublishStore, TransactionStore, SettlementStore,
    SurveyStore,
    RecoveryStore, SweepStore, BindingStore, BacklogCounts, PauseStore, SampleStore
{
    /// What it did and how its connections are, by shard. Empty for a store that has no connections.
    var activity: [StoreActivity] { get }
}

/// Knows what a person has paused.
package protocol PauseStore: Sendable {
    /// The groups that a person has paused; see `OperatorStore`.
    func pausedGroups() async throws -> Set<String>
}

/// Keeps what a broker counted.
package protocol SampleStore: Sendable {
    /// Adds what this broker counted since it last did; several calls may add to one bucket.
    func addSamples(_ samples: [TopicSample]) async throws
}

extension MessageStore {
    /// Joins all shards, and ends whoever has the name. Returns the incarnation's number.
    package func join(as broker: BrokerIdentity) async throws -> Int64 {
        let entry = try await join(as: broker, takingOver: true)
        if let missing = entry.missing.min(by: { $0.key < $1.key }) { throw missing.value }
        return entry.incarnation
    }

    package func survey(shard: Int, now: Timestamp) async throws -> ShardSurvey {
        try await survey(shard: shard, now: now, latest: .max)
    }

    package func dueTransactions(
        shard: Int, after place: DueTransaction.Place?, now: Timestamp, limit: Int
    ) async throws -> [DueTransaction] {
        try await dueTransactions(shard: shard, after: place, now: now, latest: .max, limit: limit)
    }

    package var activity: [StoreActivity] { [] }

    /// For whom no producer waits.
    package func insert(_ batch: [Insertion], shard: Int) async throws -> [Insertion.Outcome] {
        try await insert(batch, shard: shard, deadline: .now + .seconds(10))
    }

    /// For a store that remembers nothing.
    package func checkMemory(shard: Int, bindings: @Sendable () -> [Binding]) async throws -> MemoryCheck {
        MemoryCheck()
    }
}
