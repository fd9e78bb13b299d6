/// What became of a dead letter that a person wanted requeued.
package enum RequeueOutcome: Sendable, Hashable {
    /// These groups are owed the message now, and the letter is gone.
    case requeued(groups: [String])
    /// No such letter: requeued or deleted before, or past its retention.
    case notFound
    /// Nothing was changed; why, as a clause.
    case refused(String)
}
