/// A page of dead letters, oldest first.
package struct DeadLetterPage: Sendable, Hashable {
    package var letters: [DeadLetter]
    /// Where the next page begins; nil at the end. A page may be short, or empty, and not the last.
    package var next: DeadLetterCursor?
    /// Shards that did not answer: their letters are missing here, and found from the same place on once they answer again.
    package var failures: [ShardFailure] = []

    /// Merges what each shard gave from `cursor` on.
    ///
    /// The order is that of death where rows were read by time. Read by a name they come by id, which is the order in which
    /// each shard took them in; the same but for the clocks of brokers.
    /// - Parameter rows: asked of each shard; fewer than that were its last.
    package init(
        _ streams: [[DeadLetter]], rows: Int, after cursor: DeadLetterCursor, limit: Int,
        where matches: (DeadLetter) -> Bool
    ) {
        var taken = Array(repeating: 0, count: streams.count)
        var cursor = cursor
        letters = []
        while letters.count < limit {
            var oldest: Int?
            for (shard, stream) in streams.enumerated() {
                guard taken[shard] < stream.count else {
                    // What this shard has next is not known, so neither is what comes next of all.
                    if stream.count == rows {
                        next = cursor
                        return
                    }
                    continue
                }
                if oldest.map({ stream[taken[shard]].diedAt < streams[$0][taken[$0]].diedAt }) ?? true {
                    oldest = shard
                }
            }
            guard let oldest else { return }
            let letter = streams[oldest][taken[oldest]]
            taken[oldest] += 1
            cursor.positions[oldest] = .init(diedAt: letter.diedAt, number: letter.id.number)
            if matches(letter) { letters.append(letter) }
        }
        next = cursor
    }
}
