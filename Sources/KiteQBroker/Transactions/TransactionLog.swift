import KiteQCore
import Logging
import Synchronization

/// What is said of answers to half messages that did not come to what they asked for, or not as usual. Each kind has a few
/// lines a minute of its own: many of one do not hide another.
final class TransactionLog: Sendable {
    private enum Kind: Hashable {
        case contrary, wrongGroup, forNobody, late, left, parked, aside
    }

    private let throttles = Mutex([Kind: LogThrottle]())
    private let logger: Logger

    init(_ logger: Logger) {
        self.logger = logger
    }

    func contrary(_ answer: TransactionAnswer, to first: TransactionOutcome) {
        write(.contrary, .warning, answer) { others in
            "group \(answer.decision.connectionGroup) answered \(answer.word) to half message \(answer.decision.messageID), which was \(first == .committed ? "committed" : "rolled back") before\(others); the first answer stands, see in the publisher's own tables which of them is right, and in the audit log whether a person decided"
        }
    }

    func wrongGroup(_ answer: TransactionAnswer, publisher: String) {
        write(.wrongGroup, .warning, answer) { others in
            "refused an answer to half message \(answer.decision.messageID) of group \(publisher) from group \(answer.decision.connectionGroup)\(others); a client is configured with another's group, or forges answers"
        }
    }

    func forNobody(_ answer: TransactionAnswer, topic: String, messageType: String) {
        write(.forNobody, .notice, answer) { others in
            "half message \(answer.decision.messageID) was committed, and no group is bound to \(topic)/\(messageType): it is done, and nobody got it\(others)"
        }
    }

    func late(_ answer: TransactionAnswer) {
        write(.late, .notice, answer) { others in
            "half message \(answer.decision.messageID) was parked as undecided; group \(answer.decision.connectionGroup) answered \(answer.word) after all, and that is done\(others)"
        }
    }

    /// A parked one that this answer cannot decide any more.
    func parked(_ answer: TransactionAnswer) {
        write(.parked, .warning, answer) { others in
            "group \(answer.decision.connectionGroup) answered \(answer.word) to half message \(answer.decision.messageID), which was parked as undecided; that cannot be done now: its dead letter is gone, or the same id is on its way again\(others)"
        }
    }

    func aside(_ answer: TransactionAnswer, _ reason: String) {
        write(.aside, .error, answer) { others in
            "the store does not take the \(answer.word) of half message \(answer.decision.messageID), it is tried again later, and other messages' go on\(others): \(reason)"
        }
    }

    /// - Parameter isKnown: the topic's bindings are known here.
    func left(_ answer: TransactionAnswer, _ undecided: TransactionDecision.Undecided, isKnown: Bool) {
        let why =
            isKnown
            ? "whose regular expressions take too long to be tried with all that this group answers at once"
            : "whose bindings this broker does not know, and what is saved of it does not tell its groups"
        let whatThen =
            undecided.place != nil
            ? "it stays undecided, and a broker that serves the topic asks about it"
            : "it stays among the dead letters: requeue it (commit) or delete it (roll back)"
        write(.left, .warning, answer) { others in
            "group \(answer.decision.connectionGroup) answered \(answer.word) to half message \(answer.decision.messageID) of topic \(undecided.topic), \(why); \(whatThen)\(others)"
        }
    }

    /// - Parameter text: gets what it is to say of those lines before it that were left out.
    private func write(_ kind: Kind, _ level: Logger.Level, _ answer: TransactionAnswer, _ text: (String) -> String) {
        let leftOut = throttles.withLock { throttles in
            throttles[kind, default: LogThrottle(limit: 10, per: .seconds(60))].admit(now: .now)
        }
        guard let leftOut else { return }
        let others = leftOut > 0 ? " (\(leftOut) more such lines were left out)" : ""
        logger.log(level: level, "\(text(others))", metadata: answer.logMetadata)
    }
}
