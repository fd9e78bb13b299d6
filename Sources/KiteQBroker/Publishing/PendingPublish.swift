import KiteQCore

/// A publish between its arrival and its store ack.
struct PendingPublish: Sendable {
    var reply: PublishReply
    var message: Message
    /// Nil for a half message.
    var route: Route?
    /// It is answered within a time from then on, one way or the other.
    var arrivedAt: MonotonicTime
    /// Set when its batch forms.
    var seq: Int64 = 0
    /// A try to store it ended without telling how.
    var mayBeStored = false

    /// What its connection's bound counts.
    var bytes: Int { message.footprint }
}

/// Where and how a publish is answered.
final class PublishReply: Sendable {
    let connection: Connection
    let opaque: Int32
    let version: Int16
    let extensionField: Int64
    /// The id as the producer wrote it.
    let messageID: String

    init(connection: Connection, opaque: Int32, version: Int16, extensionField: Int64, messageID: String) {
        self.connection = connection
        self.opaque = opaque
        self.version = version
        self.extensionField = extensionField
        self.messageID = messageID
    }
}

/// The answer to a publish.
struct PublishResult: Sendable {
    let reply: PublishReply
    let status: Bool
    let feedback: String
    /// What its connection's bound has counted for it.
    var bytes = 0
}
