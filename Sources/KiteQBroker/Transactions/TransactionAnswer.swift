import KiteQCore
import Logging

/// A commit or roll back on its way to the store.
struct TransactionAnswer: Sendable {
    var decision: TransactionDecision
    /// The message, where this broker still holds it.
    var message: Message?
    /// Who answered, for the log.
    var peer: String
    var arrivedAt: MonotonicTime
    /// What the store said where this broker does not know the topic's bindings.
    var undecided: TransactionDecision.Undecided?

    var logMetadata: Logger.Metadata {
        (message?.logMetadata ?? ["message": "\(decision.messageID)"]).with(["peer": "\(peer)"])
    }

    /// The answer, as a person says it.
    var word: String { decision.answer == .commit ? "commit" : "roll back" }
}
