/// How many undone messages each topic has in each state.
///
/// A shard with more messages than are looked at gives a sample: its oldest and its newest. Then the numbers are those of the
/// sample, not of the table.
package struct TopicCounts: Sendable, Hashable {
    package struct Count: Sendable, Hashable {
        package var topic: String
        package var state: StoredMessage.State
        package var messages: Int

        package init(topic: String, state: StoredMessage.State, messages: Int) {
            self.topic = topic
            self.state = state
            self.messages = messages
        }
    }

    /// By topic (by its bytes), then by state.
    package var counts: [Count]
    /// Every message of every shard was looked at.
    package var isExact: Bool
    /// Messages looked at.
    package var looked: Int
    package var failures: [ShardFailure]

    package init(counts: [Count], isExact: Bool, looked: Int, failures: [ShardFailure] = []) {
        self.counts = counts
        self.isExact = isExact
        self.looked = looked
        self.failures = failures
    }
}
