/// A message on its way into a shard: what one row of a batch says.
package struct Insertion: Sendable {
    package var seq: Int64
    package var message: Message
    /// The groups it is for; nil for a half message, whose groups are fixed when it is committed.
    package var route: Route?
    /// The group of the connection that published it (not always the header's): it may answer for a half message too.
    package var connectionGroup: String
    /// When the publisher of a half message is first asked, Unix milliseconds; not used otherwise.
    package var firstCheckAt: Timestamp

    package var isHalf: Bool { route == nil }

    /// What is remembered of a half message's topic and type once it is done.
    package var subject: UInt64 { SubjectHash.of(topic: message.topic, messageType: message.messageType) }

    package init(seq: Int64, message: Message, route: Route?, connectionGroup: String, firstCheckAt: Timestamp) {
        self.seq = seq
        self.message = message
        self.route = route
        self.connectionGroup = connectionGroup
        self.firstCheckAt = firstCheckAt
    }

    /// What became of one row. The first three were read or committed, and may be acknowledged.
    package enum Outcome: Sendable, Hashable {
        case stored
        /// The same message is there already, undone, under this other seq.
        case duplicate(of: Int64)
        /// A half message that was stored before, was committed, and is done.
        case committedBefore
        /// Not stored, and never will be: its id is another message's, or was rolled back.
        case taken(TakenID)
        /// The server refuses this very row; the sentence says why.
        case refused(String)
        /// Not stored now, for a reason that passes: somebody has locked its place. The others are not held up by it.
        case notYet(String)
        /// Like `notYet`, of one that an earlier try may have stored: its reply was lost, and no server has settled it since.
        case unknown(String)

        /// Whether another try may settle it.
        package var isOpen: Bool {
            switch self {
            case .notYet, .unknown: true
            case .stored, .duplicate, .committedBefore, .taken, .refused: false
            }
        }

        /// Whether it is open, and may be stored all the same.
        package var mayBeStored: Bool {
            if case .unknown = self { true } else { false }
        }
    }
}
