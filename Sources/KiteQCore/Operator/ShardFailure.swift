/// A shard that could not be asked, or did not answer in time: what it has is missing from an answer.
package struct ShardFailure: Error, Sendable, Hashable {
    package var shard: Int
    /// Why, in a sentence for a person.
    package var reason: String

    package init(shard: Int, reason: String) {
        self.shard = shard
        self.reason = reason
    }
}
