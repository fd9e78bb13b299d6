/// A page of a search.
package struct MessagePage: Sendable, Hashable {
    /// In the order asked for.
    package var messages: [MessageSummary]
    /// Where the next page begins; nil at the end. A page may be short, or empty, and not the last.
    package var next: MessageCursor?
    /// Shards that did not answer: theirs are missing here, and found from the same place on once they answer again.
    package var failures: [ShardFailure] = []

    /// What one shard gave.
    package struct Stream: Sendable {
        /// Those that match, in order.
        package var messages: [MessageSummary]
        /// How far it was looked: the next part begins behind this seq. Nil: to the end.
        package var reached: Int64?

        package init(messages: [MessageSummary], reached: Int64?) {
            self.messages = messages
            self.reached = reached
        }
    }

    /// Merges what each shard gave from `cursor` on; a shard that gave nil stays where it is.
    package init(_ streams: [Stream?], after cursor: MessageCursor, limit: Int) {
        var cursor = cursor
        let isBefore: (Int64, Int64) -> Bool = cursor.order == .oldestFirst ? { $0 < $1 } : { $0 > $1 }
        // Behind the place that some shard has reached, what comes next of all is not known.
        let horizon = streams.compactMap { $0?.reached }.min(by: isBefore)
        let all = streams.enumerated().flatMap { shard, stream in
            (stream?.messages ?? []).map { (shard: shard, message: $0) }
        }.sorted { isBefore($0.message.seq, $1.message.seq) }
        let known = all.filter { entry in horizon.map { !isBefore($0, entry.message.seq) } ?? true }
        messages = known.prefix(limit).map(\.message)
        guard let end = known.count > limit ? known[limit - 1].message.seq : horizon else { return }
        // All of a shard that lies up to the end of the page is done, but for another shard's message of the same seq.
        let cut = Set(known.dropFirst(limit).prefix { $0.message.seq == end }.map(\.shard))
        for (shard, stream) in streams.enumerated() where stream != nil {
            let reached = cut.contains(shard) ? end + (cursor.order == .oldestFirst ? -1 : 1) : end
            if isBefore(cursor.positions[shard], reached) { cursor.positions[shard] = reached }
        }
        next = cursor
    }
}
