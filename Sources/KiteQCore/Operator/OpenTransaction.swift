/// A half message that nobody has decided yet.
package struct OpenTransaction: Sendable, Hashable {
    package var messageID: MessageID
    package var shard: Int
    package var seq: Int64
    package var topic: String
    package var messageType: String
    package var publisherGroup: String
    /// The group of the connection that published it.
    package var connectionGroup: String
    /// The producer's createTime, as far as it was one.
    package var publishedAt: Timestamp
    package var expiresAt: Timestamp
    /// Questions asked.
    package var checks: Int
    package var nextCheckAt: Timestamp

    package init(
        messageID: MessageID, shard: Int, seq: Int64, topic: String, messageType: String, publisherGroup: String,
        connectionGroup: String, publishedAt: Timestamp, expiresAt: Timestamp, checks: Int, nextCheckAt: Timestamp
    ) {
        self.messageID = messageID
        self.shard = shard
        self.seq = seq
        self.topic = topic
        self.messageType = messageType
        self.publisherGroup = publisherGroup
        self.connectionGroup = connectionGroup
        self.publishedAt = publishedAt
        self.expiresAt = expiresAt
        self.checks = checks
        self.nextCheckAt = nextCheckAt
    }

    package var place: DueTransaction.Place { .init(nextCheckAt: nextCheckAt, seq: seq) }
}

extension Sequence<OpenTransaction> {
    /// Those that are asked about last, the last one first.
    package func askedLast(_ limit: Int) -> [OpenTransaction] {
        let latestFirst = sorted { ($0.nextCheckAt, $0.seq, $0.shard) > ($1.nextCheckAt, $1.seq, $1.shard) }
        return Array(latestFirst.prefix(limit))
    }
}
