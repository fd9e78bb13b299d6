import KiteQCore

/// A publish that was accepted: its message, whom it is for, and where it is answered.
///
/// An object, since many hands take it on before its store ack.
final class AcceptedPublish: Sendable {
    let origin: any PublishOrigin
    /// The packet's, which its answer has again.
    let opaque: Int32
    let version: Int16
    let extensionField: Int64
    let message: Message
    /// Where the message's header has its id, as the producer wrote it.
    let messageIDRange: Range<Int>
    /// Nil for a half message.
    let route: Route?
    /// That of the publishing group, for a half message that counts there until it is decided.
    let countedBy: GroupAccount?
    /// It is answered within a time from then on, one way or the other.
    let arrivedAt: MonotonicTime

    init(
        origin: any PublishOrigin, opaque: Int32, version: Int16, extensionField: Int64, message: Message,
        messageIDRange: Range<Int>, route: Route?, countedBy: GroupAccount? = nil, arrivedAt: MonotonicTime
    ) {
        self.origin = origin
        self.opaque = opaque
        self.version = version
        self.extensionField = extensionField
        self.message = message
        self.messageIDRange = messageIDRange
        self.route = route
        self.countedBy = countedBy
        self.arrivedAt = arrivedAt
    }

    /// The message's id as its producer wrote it.
    func withMessageID<Result>(_ use: (UnsafeRawBufferPointer) -> Result) -> Result {
        message.withBytes { header, _, _ in use(UnsafeRawBufferPointer(rebasing: header[messageIDRange])) }
    }
}

/// A publish between its arrival and its store ack.
struct PendingPublish: Sendable {
    let accepted: AcceptedPublish
    /// What it takes in memory.
    let bytes: Int
    /// Set when its batch forms.
    var seq: Int64 = 0
    /// A try to store it ended without telling how.
    var mayBeStored = false
    /// Why it is not stored yet, where that concerns it alone.
    var obstacle: String?

    init(_ accepted: AcceptedPublish) {
        self.accepted = accepted
        bytes = accepted.message.footprint
    }

    var message: Message { accepted.message }
    var route: Route? { accepted.route }
}

/// The answer to a publish.
struct PublishResult: Sendable {
    let publish: AcceptedPublish
    let verdict: PublishVerdict
    let feedback: String

    var status: Bool { verdict == .accepted }
}
