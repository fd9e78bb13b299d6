/// The store's side of what operators see and do. It needs no incarnation and owns nothing: any broker can ask and act.
///
/// Every call reads a bounded number of rows by an index, on connections of its own (two to each shard at most), and ends
/// within seconds whatever the servers do. A listing over all shards names those that did not answer in `failures` and gives
/// what the others have; a call about one message, or about what lies in the first shard, throws `StoreError`.
///
/// Every conforming store passes the same suite.
package protocol OperatorStore: Sendable {
    /// How ids map to shards; shards are numbered from 0.
    var shardMap: ShardMap { get }

    // MARK: Brokers and shards

    /// Lives of brokers: all living ones, and those that ended within the last hour.
    func brokers() async -> BrokerListing

    /// One report for each shard, in order, also of those that do not answer.
    func shardReports() async -> [ShardReport]

    // MARK: Groups and topics

    /// What is there for one group; zeros for one that the store has never heard of. Counts are exact up to 100,000 of each
    /// kind and shard.
    func groupReport(of name: String) async -> (report: GroupReport, failures: [ShardFailure])

    /// Groups by name; counts are exact up to 10,000 of each kind and shard.
    /// - Parameters:
    ///   - name: `next` of the page before; nil: from the first on.
    ///   - limit: 1 to 1,000.
    func groupReports(after name: String?, limit: Int) async -> GroupListing

    /// As ``groupReports(after:limit:)`` has them, of these groups alone, in no order; zeros for those that the store has never heard of.
    /// - Parameter names: at most 1,000.
    func groupReports(of names: [String]) async -> (reports: [GroupReport], failures: [ShardFailure])

    /// Undone messages by topic and state.
    func topicCounts() async -> TopicCounts

    // MARK: Messages

    /// Nil where no row knows the message: never stored, or done by all of its groups.
    func story(of id: MessageID) async throws -> MessageStory?

    /// Undone messages that match.
    /// - Parameters:
    ///   - cursor: ``MessageCursor/init(_:shards:)`` for the first page, `next` of the page before after that.
    ///   - limit: 1 to 500.
    /// - Throws: `StoreError` where the cursor is of a store with another number of shards.
    func messages(_ filter: MessageFilter, after cursor: MessageCursor, limit: Int) async throws -> MessagePage

    // MARK: Transactions

    /// Half messages that nobody has decided, by (nextCheckAt, seq). Those that were parked lie among the dead letters.
    /// - Parameters:
    ///   - cursor: `next` of the page before; nil: from the first on.
    ///   - limit: 1 to 1,000.
    /// - Throws: `StoreError` where the cursor is of a store with another number of shards.
    func openTransactions(after cursor: TransactionCursor?, limit: Int) async throws -> TransactionPage

    /// The same from the other end, the one that is asked about last first. There are those that nobody answers: they are asked
    /// about less and less often.
    /// - Parameter limit: 1 to 1,000.
    func lastOpenTransactions(limit: Int) async -> (transactions: [OpenTransaction], failures: [ShardFailure])

    /// Decides a half message in a person's place, whatever group published it, also one that is parked.
    ///
    /// Commit means the same for both, and is what requeueing a parked one means: each receiving group gets a delivery row
    /// that is due and nobody's, so that whichever broker has the group delivers it, and the message lives for an hour more at
    /// least. Roll back deletes it. `kite_transaction` follows in the same SQL transaction, so that a late answer of the
    /// producer meets the decision. Safe to repeat.
    /// - Parameters:
    ///   - groups: who gets it; empty: the groups that are bound. Where none is bound a commit is refused, for the message
    ///     would be gone.
    ///   - route: the groups of a topic and message type now; nil where they are not known here, and those that brokers last
    ///     saved as bound are taken. Asked inside the transaction; it must not block.
    func decide(
        _ id: MessageID, _ answer: TransactionDecision.Answer, to groups: [String],
        route: @escaping @Sendable (_ topic: String, _ messageType: String) -> Route?
    ) async throws -> TransactionResolution

    // MARK: Dead letters

    /// Dead letters of all shards, oldest first. A page may be short or empty and not be the last: `next` tells.
    /// - Parameters:
    ///   - cursor: `next` of the page before; nil: from the oldest on.
    ///   - limit: 1 to 1,000.
    /// - Throws: `StoreError` where the cursor is of a store with another number of shards.
    func deadLetters(
        _ filter: DeadLetterFilter, after cursor: DeadLetterCursor?, limit: Int
    ) async throws -> DeadLetterPage

    /// How many match; the count ends at 100,000, or when enough rows were looked at in each shard.
    func deadLetterCount(_ filter: DeadLetterFilter) async -> (count: BoundedCount, failures: [ShardFailure])

    /// Nil where there is none.
    func deadLetter(_ id: DeadLetterID) async throws -> DeadLetter?

    /// The bytes of a letter; nil where it is gone.
    func deadLetterContent(_ id: DeadLetterID) async throws -> DeadLetter.Content?

    /// Gives a letter's message back to its group, and to it alone, with all its attempts. An undecided half message is
    /// committed by this, to the groups that brokers last saved as bound to it: see ``decide(_:_:to:route:)``.
    /// - Parameters:
    ///   - lifetime: how long the message lives from now; nil: as long as at first, an hour at least.
    ///   - groups: for an undecided one: who gets it, in place of the groups that are bound.
    func requeueDeadLetter(
        _ id: DeadLetterID, lifetime: Duration?, to groups: [String]
    ) async throws -> RequeueOutcome

    /// Deletes letters; an undecided half message is rolled back by this. Each shard's part is one transaction.
    /// - Returns: those that were there.
    func deleteDeadLetters(_ ids: [DeadLetterID]) async throws -> Set<DeadLetterID>

    // MARK: Paused groups (first shard)

    /// Pauses a group; one that is paused already keeps who did it and when.
    /// - Returns: false where it was paused already.
    func pause(_ group: String, by person: String, reason: String) async throws -> Bool

    /// - Returns: false where it was not paused.
    func resume(_ group: String) async throws -> Bool

    /// All paused groups with who paused them, by name; at most 10,000.
    func groupPauses() async throws -> [GroupPause]

    // MARK: Samples (first shard)

    /// What all brokers counted from a time on, by steps, of all these topics together.
    /// - Parameters:
    ///   - topics: nil: all topics.
    ///   - step: milliseconds, a multiple of ``TopicSample/width``; the range has at most ``TopicSeries/maxSteps`` of them.
    /// - Throws: `StoreError` where range and step do not keep to that.
    func topicSeries(
        of topics: [String]?, from: Timestamp, before: Timestamp, step: Timestamp
    ) async throws -> TopicSeries

    // MARK: Audit log (first shard)

    /// Writes an entry; returns its id.
    func appendAudit(_ entry: AuditEntry) async throws -> Int64

    /// Entries newest first, those below `id`; nil: from the newest on.
    /// - Parameter limit: 1 to 1,000.
    func auditEntries(before id: Int64?, limit: Int) async throws -> [AuditEntry]
}
