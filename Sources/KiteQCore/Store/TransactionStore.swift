/// Decides about half messages, and says which are to be asked about.
package protocol TransactionStore: ShardedStore {
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

    /// Undecided half messages whose time has come, or is later than `latest`, by (nextCheckAt, seq) from behind a place on, at
    /// most `limit`: anybody's.
    func dueTransactions(
        shard: Int, after place: DueTransaction.Place?, now: Timestamp, latest: Timestamp, limit: Int
    ) async throws -> [DueTransaction]

    /// Reschedules or parks half messages, each unless its row has changed or is being changed: another broker was first.
    /// Returns the seqs that this call changed.
    func reschedule(_ checks: [TransactionCheck], shard: Int) async throws -> Set<Int64>
}
