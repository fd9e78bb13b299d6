/// What a message's row says, without its bytes.
package struct MessageSummary: Sendable, Hashable {
    package var id: MessageID
    package var shard: Int
    package var seq: Int64
    package var state: StoredMessage.State
    package var kind: Message.Kind
    package var topic: String
    package var messageType: String
    package var publisherGroup: String
    /// The incarnation that delivers it while it is fresh, or accepted it while it is half; 0: nobody.
    package var owner: Int64
    /// When a broker accepted it, by that broker's clock; what a search by time goes by.
    package var acceptedAt: Timestamp
    /// The producer's createTime, as far as it was one.
    package var publishedAt: Timestamp
    package var expiresAt: Timestamp
    /// Attempts of each group.
    package var deliverLimit: Int

    package init(
        id: MessageID, shard: Int, seq: Int64, state: StoredMessage.State, kind: Message.Kind, topic: String,
        messageType: String, publisherGroup: String, owner: Int64, publishedAt: Timestamp,
        expiresAt: Timestamp, deliverLimit: Int
    ) {
        self.id = id
        self.shard = shard
        self.seq = seq
        self.state = state
        self.kind = kind
        self.topic = topic
        self.messageType = messageType
        self.publisherGroup = publisherGroup
        self.owner = owner
        acceptedAt = SequenceGenerator.timestamp(of: seq)
        self.publishedAt = publishedAt
        self.expiresAt = expiresAt
        self.deliverLimit = deliverLimit
    }
}
