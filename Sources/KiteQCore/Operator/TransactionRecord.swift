/// What `kite_transaction` says of a half message, until about an hour after its final answer.
package struct TransactionRecord: Sendable, Hashable {
    package var outcome: TransactionOutcome
    /// Questions asked.
    package var checks: Int
    /// When it is asked next while undecided, else when it was decided.
    package var at: Timestamp
    package var publisherGroup: String
    /// The group of the connection that published it.
    package var connectionGroup: String

    package init(
        outcome: TransactionOutcome, checks: Int, at: Timestamp, publisherGroup: String, connectionGroup: String
    ) {
        self.outcome = outcome
        self.checks = checks
        self.at = at
        self.publisherGroup = publisherGroup
        self.connectionGroup = connectionGroup
    }
}
