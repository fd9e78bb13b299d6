/// Where messages live from their store ack to their last acknowledgement. Its unit is a batch of one shard.
///
/// Every conforming store passes the same suite (`MessageStoreConformance`). All calls may be made from many tasks at once;
/// calls of one shard overlap freely. A call that throws `StoreError` changed nothing or says that this is unknown
/// (`isOutcomeUnknown`); the caller then acknowledges nothing.
package protocol MessageStore: Sendable {
    /// How ids map to shards; shards are numbered from 0.
    var shardMap: ShardMap { get }

    /// Keeps connections and the lease until the task is cancelled, then leaves: the incarnation is marked as gone.
    func run() async throws

    /// Joins as a new incarnation in every shard, and declares earlier lives of the same broker dead: what they left is
    /// found by the scans below as this incarnation's own. Returns the incarnation's number, larger than any before.
    func join(as broker: BrokerIdentity) async throws -> Int64

    /// Whether the store answers now. Throws the reason where it does not.
    func check() async throws

    // MARK: Publishing

    /// Stores a batch in one transaction, in the order given; outcomes are in the order of the batch.
    func insert(_ batch: [Insertion], shard: Int) async throws -> [Insertion.Outcome]

    /// Settles half messages by their ids, whoever owns them. `route` gives the groups of a topic and message type now
    /// (asked inside the transaction; it must not block). Two answers to one id in a batch: the first wins.
    func decide(
        _ batch: [TransactionDecision], shard: Int,
        route: @escaping @Sendable (_ topic: String, _ messageType: String) -> Route
    ) async throws -> [TransactionDecision.Outcome]

    // MARK: Settling

    /// Writes what became of deliveries, in one transaction for the batch (at most one settlement a seq).
    /// Returns the seqs that were not this incarnation's any more: nothing was changed of them, drop them.
    func settle(_ batch: [Settlement], shard: Int) async throws -> [Int64]

    // MARK: Recovery

    /// The seqs above `after` of messages that are fresh and owed to `group`, oldest first, at most `limit`: this
    /// incarnation's, and those of dead ones. Fewer than `limit` means that there are no more now.
    func freshBacklog(of group: String, shard: Int, after: Int64, limit: Int) async throws -> [Int64]

    /// The delivery rows of `group` in a range, in order of (dueAt, seq), at most `limit`; rows of messages that a living
    /// other incarnation owns are left out, but count: `next` says where to go on, nil at the end.
    func deliveries(of group: String, shard: Int, in range: DeliveryRange, limit: Int) async throws -> DeliveryPage

    /// Loads messages by seq, ascending, and makes this incarnation the owner of those whose owner is dead. Seqs that are
    /// gone, half, or of a living other incarnation are left out.
    func load(_ seqs: [Int64], shard: Int) async throws -> [StoredMessage]

    /// Undecided half messages of this incarnation (and of dead ones, which become its own) whose time has come, earliest
    /// first, at most `limit`.
    func dueTransactions(shard: Int, now: Timestamp, limit: Int) async throws -> [DueTransaction]

    /// Reschedules or parks half messages. Rows that changed meanwhile are left alone.
    func reschedule(_ checks: [TransactionCheck], shard: Int) async throws

    /// Deletes at most `limit` transactions decided before `before` and dead letters whose retention ended; returns how many went.
    func purge(shard: Int, decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int) async throws -> Int

    // MARK: Bindings

    /// Remembers the last known bindings of these topics, for a start while the registry is away.
    func saveBindings(_ bindings: [Binding], topics: [String]) async throws
    /// The bindings last saved for these topics; nil where none were ever saved.
    func savedBindings(topics: [String]) async throws -> [Binding]?
}

/// Who this broker is, to the store.
package struct BrokerIdentity: Sendable, Hashable {
    /// Stays the same over restarts: earlier incarnations of the same name are its own earlier lives.
    package var name: String
    /// Where clients reach it, `host:port`.
    package var address: String

    package init(name: String, address: String) {
        self.name = name
        self.address = address
    }
}

/// Which delivery rows of a group to read. Cursors are exclusive.
package enum DeliveryRange: Sendable, Hashable {
    /// Rows with due_at 0, by seq.
    case waiting(after: Int64)
    /// Rows with a due_at from 1 up to `now`, by (due_at, seq).
    case due(now: Timestamp, after: DeliveryCursor)
}

/// A place in the order of (due_at, seq).
package struct DeliveryCursor: Sendable, Hashable {
    package var dueAt: Timestamp
    package var seq: Int64

    package static var start: DeliveryCursor { DeliveryCursor(dueAt: 0, seq: Int64.max) }

    package init(dueAt: Timestamp, seq: Int64) {
        self.dueAt = dueAt
        self.seq = seq
    }
}

/// A page of delivery rows.
package struct DeliveryPage: Sendable, Hashable {
    package struct Row: Sendable, Hashable {
        package var seq: Int64
        package var attempts: Int
        package var dueAt: Timestamp

        package init(seq: Int64, attempts: Int, dueAt: Timestamp) {
            self.seq = seq
            self.attempts = attempts
            self.dueAt = dueAt
        }
    }

    package var rows: [Row]
    /// Where the next page begins; nil when there is none now.
    package var next: DeliveryCursor?

    package init(rows: [Row], next: DeliveryCursor?) {
        self.rows = rows
        self.next = next
    }
}
