/// Takes what is published.
package protocol PublishStore: ShardedStore {
    /// Stores a batch in one transaction, in the order given; outcomes are in the order of the batch. An id that is there
    /// already is settled by ``KnownID``. A row that somebody has locked is `notYet`, and does not hold up the others. One
    /// that a try may have stored, and that no server has settled, is `unknown`.
    ///
    /// - Parameter deadline: nothing is begun after it: what is not stored by then is `notYet`, or the call throws. What is
    ///   under way then ends within the store's own limits.
    func insert(
        _ batch: [Insertion], shard: Int, deadline: ContinuousClock.Instant
    ) async throws -> [Insertion.Outcome]

    /// Whether a message could be stored in a shard now: one is written, and taken back. Throws the reason where not.
    func probe(shard: Int) async throws
}
