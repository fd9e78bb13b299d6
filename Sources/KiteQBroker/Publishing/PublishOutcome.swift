/// What became of one message that was published without a session.
package struct PublishOutcome: Sendable, Hashable {
    /// As it was given, or as the broker chose it.
    package var messageID: String
    package var verdict: PublishVerdict
    /// For people.
    package var feedback: String

    package init(messageID: String, verdict: PublishVerdict, feedback: String) {
        self.messageID = messageID
        self.verdict = verdict
        self.feedback = feedback
    }
}

/// What a broker says of a publish.
package enum PublishVerdict: Sendable, Hashable {
    /// Stored, or need not be: the feedback says which.
    case accepted
    /// Against a rule: it would be refused again.
    case refused
    /// Not stored; the same may be taken later, or by another broker.
    case tryAgain
    /// It is not known whether it is stored. Publish it again with the same id: it is not stored twice.
    case unknown
}
