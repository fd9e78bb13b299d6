/// A page of open transactions, by the time at which they are asked about next.
package struct TransactionPage: Sendable, Hashable {
    package var transactions: [OpenTransaction]
    /// Where the next page begins; nil at the end. One that is asked about meanwhile gets a later time, and may be listed again.
    package var next: TransactionCursor?
    /// Shards that did not answer: theirs are missing here, and found from the same place on once they answer again.
    package var failures: [ShardFailure] = []

    /// Merges what each shard gave from `cursor` on; a shard that gave nil stays where it is.
    /// - Parameter limit: asked of each shard too; fewer than that were its last.
    package init(_ streams: [[OpenTransaction]?], after cursor: TransactionCursor, limit: Int) {
        var cursor = cursor
        let all = streams.compactMap { $0 }.flatMap { $0 }.sorted {
            ($0.nextCheckAt, $0.seq, $0.shard) < ($1.nextCheckAt, $1.seq, $1.shard)
        }
        transactions = Array(all.prefix(limit))
        for transaction in transactions { cursor.places[transaction.shard] = transaction.place }
        let mayHaveMore = streams.contains { $0?.count == limit }
        if all.count > limit || mayHaveMore { next = cursor }
    }
}
