/// Where messages live from their store ack to their last acknowledgement. Its unit is a batch of one shard.
///
/// Every conforming store passes the same suite (`MessageStoreConformance`). All calls may be made from many tasks at once;
/// calls of one shard overlap freely. A call that throws `StoreError` changed nothing or says that this is unknown
/// (`isOutcomeUnknown`); the caller then acknowledges nothing.
package protocol MessageStore: Sendable {
    /// How ids map to shards; shards are numbered from 0.
    var shardMap: ShardMap { get }

    /// Keeps connections until the task is cancelled, then leaves: the incarnation is marked as gone.
    func run() async throws

    /// Joins as a new incarnation in every shard that can be reached, and declares earlier lives of the same broker dead: what
    /// they left is found by the scans below. May be called again after the incarnation was found dead (`StoreError` with
    /// `fenced`).
    ///
    /// An earlier life that may still be at work is waited for: until the server has none of its connections any more, or its
    /// lease is seen to run out.
    /// - Parameter takingOver: does not wait, and ends whoever has the name.
    /// - Throws: `StoreError`: with `nameTaken` where a broker of that name works; with another code where no shard could be
    ///   joined, or one of them is not what this broker was configured for.
    func join(as broker: BrokerIdentity, takingOver: Bool) async throws -> StoreEntry

    /// Joins a shard that was away, as the incarnation that this broker is elsewhere; does nothing where it has joined.
    /// Returns the greatest seq that the shard has, nil where it had joined before.
    /// - Throws: `StoreError` with `fenced` where it cannot be that incarnation there: it has to begin anew.
    func joinIfMissing(shard: Int) async throws -> Int64?

    /// Whether a message could be stored in a shard now: one is written, and taken back. Throws the reason where not.
    func probe(shard: Int) async throws

    // MARK: Publishing

    /// Stores a batch in one transaction, in the order given; outcomes are in the order of the batch. An id that is there
    /// already is settled by ``KnownID``. A row that somebody has locked is `notYet`, and does not hold up the others. One
    /// that a try may have stored, and that no server has settled, is `unknown`.
    ///
    /// - Parameter deadline: nothing is begun after it: what is not stored by then is `notYet`, or the call throws. What is
    ///   under way then ends within the store's own limits.
    func insert(
        _ batch: [Insertion], shard: Int, deadline: ContinuousClock.Instant
    ) async throws -> [Insertion.Outcome]

    /// Settles half messages by their ids, whoever owns them, also those that were parked, for as long as their dead letter
    /// is there. `route` gives the groups of a topic and message type now, nil where they are not known here: then a commit
    /// changes nothing, and holds up no other (asked inside the transaction; it must not block). Two answers to one id in a
    /// batch: the first wins.
    /// An answer that the server does not take alone is `notYet`, and holds up no other.
    /// - Returns: outcomes of the first answers of the batch, in its order: of one at least, and of all but for a large batch
    ///   or trouble. The others were not looked at, and are given again.
    func decide(
        _ batch: [TransactionDecision], shard: Int,
        route: @escaping @Sendable (_ topic: String, _ messageType: String) -> Route?
    ) async throws -> [TransactionDecision.Outcome]

    // MARK: Settling

    /// Writes what became of deliveries (at most one settlement a seq).
    /// Returns the seqs that were not this incarnation's any more: nothing was changed of them, drop them.
    /// - Throws: ``PartlySettled`` where some of the batch is written, and must not be written again.
    func settle(_ batch: [Settlement], shard: Int) async throws -> [Int64]

    // MARK: Ownership

    /// How long a lease lasts from its renewal on.
    var lease: Duration { get }

    /// Renews this incarnation's lease of a shard, and reads its server's clock on the way, which it returns.
    /// - Throws: `StoreError` with `fenced` where somebody declared this incarnation dead.
    @discardableResult
    func renewLease(shard: Int) async throws -> ServerClock

    /// Says which groups this broker has clients of, all of them; only what changed since is written.
    func setPresence(_ groups: Set<String>, shard: Int) async throws

    /// Looks at all leases of a shard; declares brokers dead that let theirs run out (`LeaseWatch`), after it ended their
    /// connections. Returns who they were. To be called several times in a lease.
    /// - Throws: `StoreError` with `fenced` where this incarnation is not among the living.
    func watchLeases(shard: Int) async throws -> [String]

    /// Lets go of at most `limit` delivery rows that dead brokers had in memory: they are due then. Returns how many.
    func releaseDead(shard: Int, limit: Int) async throws -> Int

    /// What the other brokers have, and what waits for this one's groups.
    ///
    /// - Parameters:
    ///   - now: by the shard's server, as all times below.
    ///   - latest: what is due later than this became so by a wrong clock, and counts as due.
    func survey(shard: Int, now: Timestamp, latest: Timestamp) async throws -> ShardSurvey

    /// Ends connections whose last commit was not confirmed, so that what they wrote can be seen or never will. Returns the
    /// smallest seq concerned, nil where there was none or the server cannot be asked.
    func resolveUncertain(shard: Int) async throws -> Int64?

    /// Compares some of what the store remembers of a shard with what the shard has, each time the next part of it, and writes
    /// again what was lost: a database may be put back to an earlier state under a running broker.
    /// - Parameter bindings: those in force, by which the groups of a lost route may be found.
    func checkMemory(shard: Int, bindings: @Sendable () -> [Binding]) async throws -> MemoryCheck

    // MARK: Recovery

    /// Messages above `after` that are fresh and owed to `group`, oldest first, at most `limit`: this incarnation's and, with
    /// `includingDead`, those of dead ones. Fewer than `limit` means that there are no more now.
    func freshBacklog(
        of group: String, shard: Int, after: Int64, limit: Int, includingDead: Bool
    ) async throws -> [FreshMessage]

    /// The seqs of delivery rows of `group` that are nobody's, at most `limit`, in the order of the range.
    func deliveries(of group: String, shard: Int, in range: DeliveryRange, limit: Int) async throws -> [Int64]

    /// Loads messages by seq, ascending, for a group that is to work on them: takes fresh ones whose owner is dead, and of
    /// tracked ones the row of the group where it is nobody's. What is gone, half, or another broker's is left out; the
    /// deliveries of a tracked one are the group's alone.
    ///
    /// - Parameter maxBytes: of the messages together (their footprints), or the first of them if it is larger. Their sizes are
    ///   looked at before any is taken or read.
    /// - Returns: the messages, and how many of `seqs`, from the first on, were looked for; the others were left alone.
    func load(
        _ seqs: [Int64], for group: String, shard: Int, maxBytes: Int
    ) async throws -> (messages: [StoredMessage], count: Int)

    /// Rows above this seq that are this broker's, by seq, at most `limit`.
    func heldDeliveries(shard: Int, after: Int64, limit: Int) async throws -> [HeldDelivery]

    /// This incarnation's fresh messages that are owed to any of these groups, from behind a place on; looks at `limit` messages
    /// and routes, and says where to go on (nil at the end).
    func ownFresh(
        of groups: Set<BindingName>, shard: Int, after place: FreshPlace?, limit: Int
    ) async throws -> (messages: [FreshMessage], next: FreshPlace?)

    /// This incarnation's fresh messages whose time is over, of groups that may be away; looks at `limit` messages from a
    /// place on, and says where to go on (nil at the end). Those of dead brokers become this one's.
    func expiredFresh(
        shard: Int, after cursor: SweepCursor?, now: Timestamp, limit: Int
    ) async throws -> (expired: [ExpiredMessage], next: SweepCursor?)

    /// Moves delivery rows that are nobody's to the dead letters where their message's time is over; looks at `limit` rows
    /// above a seq, and says where to go on (nil at the end).
    func buryExpiredDeliveries(
        shard: Int, after seq: Int64, now: Timestamp, limit: Int
    ) async throws -> (buried: [ExpiredDelivery], next: Int64?)

    /// Removes tracked messages that nobody is owed any more; looks at `limit` of them above a seq, and says where to go on (nil at the
    /// end). There are none where one server is written to: who ends a message's last delivery removes it. On two nodes of a
    /// cluster at once each takes the other's for the last.
    func removeUnowed(shard: Int, after seq: Int64, limit: Int) async throws -> (removed: Int, next: Int64?)

    /// Undecided half messages whose time has come, or is later than `latest`, by (nextCheckAt, seq) from behind a place on, at
    /// most `limit`: anybody's.
    func dueTransactions(
        shard: Int, after place: DueTransaction.Place?, now: Timestamp, latest: Timestamp, limit: Int
    ) async throws -> [DueTransaction]

    /// Reschedules or parks half messages, each unless its row has changed or is being changed: another broker was first.
    /// Returns the seqs that this call changed.
    func reschedule(_ checks: [TransactionCheck], shard: Int) async throws -> Set<Int64>

    /// Deletes at most `limit` of each of transactions decided before a time, dead letters whose retention ended, and what the
    /// first shard has of old samples and audit entries; returns how many went. A parked transaction stays as long as its
    /// dead letter: a late answer decides it.
    func purge(shard: Int, decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int) async throws -> Int

    // MARK: Bindings

    /// Remembers the last known bindings of these topics, for a start while the registry is away.
    func saveBindings(_ bindings: [Binding], topics: [String]) async throws
    /// The bindings last saved for these topics; nil where none were ever saved.
    func savedBindings(topics: [String]) async throws -> [Binding]?

    // MARK: Operators

    /// The groups that a person has paused; see `OperatorStore`.
    func pausedGroups() async throws -> Set<String>

    /// How many half messages nobody has decided, by the group of the connection that published them; of more than `limit` in a shard
    /// some are not counted.
    func undecidedByGroup(shard: Int, upTo limit: Int) async throws -> [String: Int]

    /// How many undone messages a group is owed, of all brokers; counted up to `limit`.
    func waiting(for group: String, shard: Int, upTo limit: Int) async throws -> Int

    /// Adds what this broker counted since it last did; several calls may add to one bucket.
    func addSamples(_ samples: [TopicSample]) async throws

    /// What it did and how its connections are, by shard. Empty for a store that has no connections.
    var activity: [StoreActivity] { get }
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

/// Some of a batch of settlements is written.
package struct PartlySettled: Error {
    /// Their seqs.
    package var done: [Int64]
    /// Of these, those that were not this incarnation's any more.
    package var lost: [Int64]
    /// What is left of those that were written in part: to be written in place of what was given.
    package var begun: [Settlement]
    /// Those that were tried alone, and that the store does not take now: they need not hold up the others.
    package var stuck: [Int64]
    /// Why the rest is not.
    package var cause: any Error

    package init(
        done: [Int64], lost: [Int64], begun: [Settlement] = [], stuck: [Int64] = [], cause: any Error
    ) {
        self.done = done
        self.lost = lost
        self.begun = begun
        self.stuck = stuck
        self.cause = cause
    }
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

/// Which delivery rows of a group to read.
package enum DeliveryRange: Sendable, Hashable {
    /// Rows with due_at 0 above this seq, by seq.
    case waiting(after: Int64)
    /// Rows with a due_at from 1 up to `now`, or later than `latest`, by (due_at, seq). Held rows are not among them.
    case due(now: Timestamp, latest: Timestamp = .max)
}

/// Where a sweep over fresh messages stands.
package struct SweepCursor: Sendable, Hashable {
    package var owner: Int64
    package var route: RouteID
    package var seq: Int64

    package init(owner: Int64, route: RouteID, seq: Int64) {
        self.owner = owner
        self.route = route
        self.seq = seq
    }
}
