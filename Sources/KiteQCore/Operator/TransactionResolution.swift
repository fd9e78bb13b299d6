/// What became of a half message that a person decided.
package enum TransactionResolution: Sendable, Hashable {
    /// These groups are owed the message now.
    case committed(groups: [String])
    case rolledBack
    /// The first answer stands; this one changes nothing.
    case alreadyDecided(TransactionOutcome)
    /// No such half message: never stored, or decided more than an hour ago.
    case unknown
    /// Nothing was changed; why, as a clause.
    case refused(String)
}
