/// Why a message is not stored under its id.
package enum TakenID: Sendable, Hashable, CustomStringConvertible {
    /// It is a half message's, which would be committed past its producer's answer.
    case undecided
    /// It is a committed message's, which no answer could roll back.
    case committedMessage
    case rolledBack
    case parked
    /// It is that of a message of another group, topic or type: whose, and what became of it, is not this publisher's to know.
    case otherMessage
    /// It is that of a message of this group, topic and type that says something else.
    case otherBody

    /// A sentence for the producer.
    package var description: String {
        switch self {
        case .undecided:
            "this id is that of a half message that is not decided: commit that one, or publish under a new id"
        case .committedMessage:
            "this id is that of a committed message, which no answer rolls back: publish the half message under a new id"
        case .rolledBack: "the half message of this id was rolled back: publish under a new id"
        case .parked:
            "the half message of this id is parked, undecided, among the dead letters, where its producer's late answer or a person decides it: publish under a new id"
        case .otherMessage: "this id is in use for another message: publish under a new id"
        case .otherBody: "this id is that of a message with another body: publish under a new id"
        }
    }
}
