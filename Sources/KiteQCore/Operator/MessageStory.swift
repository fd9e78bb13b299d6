package import NIOCore

/// All that the store knows of one message: where it stands for each group, and what happened to it when.
///
/// The store keeps what is not done. Of a group that has acknowledged no trace is left, so that a group which is not named here
/// is done or was never meant; ``isDone`` says that nobody is owed the message any more.
package struct MessageStory: Sendable, Hashable {
    package var id: MessageID
    package var shard: Int
    /// Its row; nil where it is done, or lies among the dead letters only.
    package var message: MessageSummary?
    /// The row's bytes, or else those of its newest dead letter; nil where neither is there.
    package var content: Content?
    /// Each group that is or was owed it, as far as rows tell, sorted.
    package var groups: [GroupDelivery]
    package var transaction: TransactionRecord?
    /// Oldest first, also those of `groups`; that of an undecided half message has no group.
    package var deadLetters: [DeadLetter]
    /// By time; what is to happen too.
    package var events: [MessageEvent]

    package init(
        id: MessageID, shard: Int, message: MessageSummary?, content: Content?, groups: [GroupDelivery],
        transaction: TransactionRecord?, deadLetters: [DeadLetter]
    ) {
        self.id = id
        self.shard = shard
        self.message = message
        self.content = content
        self.groups = groups
        self.transaction = transaction
        self.deadLetters = deadLetters
        events = MessageEvent.all(message, groups, transaction, deadLetters)
    }

    /// Nobody is owed it any more.
    package var isDone: Bool { message == nil }

    package struct Content: Sendable, Hashable {
        /// The protobuf Header as the producer sent it.
        package var header: ByteBuffer
        /// The first bytes of the body, at most ``bodyLimit``.
        package var body: ByteBuffer
        /// Of the whole body.
        package var bodySize: Int

        package static let bodyLimit = 64 << 10

        package init(header: ByteBuffer, body: ByteBuffer, bodySize: Int) {
            self.header = header
            self.body = body
            self.bodySize = bodySize
        }
    }
}
