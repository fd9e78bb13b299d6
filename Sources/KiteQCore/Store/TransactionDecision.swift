/// The final answers to a half message, and `undecided` before there is one. The raw values are stored.
package enum TransactionOutcome: UInt8, Sendable, Hashable {
    case undecided = 0
    case committed = 1
    case rolledBack = 2
    /// Nobody answered: it lies among the dead letters for a person to decide.
    case parked = 3
}

/// A producer's answer to a half message.
package struct TransactionDecision: Sendable {
    package enum Answer: Sendable, Hashable {
        case commit, rollBack

        /// Whether the message was decided the other way.
        package func isContrary(to outcome: TransactionOutcome) -> Bool {
            switch self {
            case .commit: outcome == .rolledBack
            case .rollBack: outcome == .committed
            }
        }

        /// What it makes of a half message.
        package var outcome: TransactionOutcome { self == .commit ? .committed : .rolledBack }
    }

    package var messageID: MessageID
    package var answer: Answer
    /// The group of the connection that answers: that of the connection that published the message, or the answer is refused.
    package var connectionGroup: String
    /// The group that the message's header names may answer as well: so it is where nobody shows who he is.
    package var trustsHeader: Bool
    /// False where the broker still holds the message's bytes, so that they need not be read.
    package var needsContent: Bool
    /// The seq of the message that the broker holds, where it knows it: bytes of another one under the same id are of no use.
    package var heldSeq: Int64?
    /// The message's footprint, where it is known: what is written is bounded by it. Else the store looks.
    package var bytes: Int?

    package init(
        messageID: MessageID, answer: Answer, connectionGroup: String, trustsHeader: Bool = true, needsContent: Bool,
        heldSeq: Int64? = nil, bytes: Int? = nil
    ) {
        self.bytes = bytes
        self.trustsHeader = trustsHeader
        self.heldSeq = heldSeq
        self.messageID = messageID
        self.answer = answer
        self.connectionGroup = connectionGroup
        self.needsContent = needsContent
    }

    /// Whether the bytes of the message that has this seq are to come with its commit.
    package func needsContent(of seq: Int64) -> Bool { needsContent || heldSeq.map { $0 != seq } ?? false }

    /// Whether this answer decides a half message. Names count by their bytes.
    /// - Parameters:
    ///   - publisherGroup: the header's.
    ///   - publishedBy: the group of the connection that published it; nil where that is forgotten, and only the header's is known.
    package func mayDecide(publisherGroup: String, publishedBy: String?) -> Bool {
        let group = BindingName(connectionGroup)
        guard let publishedBy else { return group == BindingName(publisherGroup) }
        return group == BindingName(publishedBy) || trustsHeader && group == BindingName(publisherGroup)
    }

    package enum Outcome: Sendable {
        /// Committed now, by this call, and owned by this broker; to be delivered. `message` is nil where it was not asked for.
        case committed(seq: Int64, route: Route, message: Message?)
        /// Committed now, and no group is bound to it: done.
        case committedForNobody(topic: String, messageType: String)
        case rolledBack
        /// It lay among the dead letters as undecided; this answer decided it after all. A commit comes with the message: it
        /// lives longer than before.
        indirect case decidedLate(Outcome)
        /// The first answer stands; this one changes nothing. Parked: its dead letter is gone, or the same id is on its way.
        case alreadyDecided(TransactionOutcome)
        /// A commit changed nothing: this broker does not know the topic's bindings, or cannot say at once whom it is for. Nor do
        /// the answers to the same message behind it in the batch.
        case unknownTopic(Undecided)
        /// It alone is not written for now, for this reason: somebody has locked its row, or the server does not take it. Nor
        /// are the answers to the same message behind it in the batch.
        case notYet(String)
        /// No such half message: never stored, or decided more than an hour ago.
        case unknown
        /// Not a group that may answer (``TransactionDecision/mayDecide(publisherGroup:publishedBy:)``).
        case wrongGroup(publisherGroup: String)

        /// Whether it was undecided before, and is not now.
        package var endsUndecided: Bool {
            switch self {
            case .committed, .committedForNobody, .rolledBack: true
            case .decidedLate, .alreadyDecided, .unknownTopic, .notYet, .unknown, .wrongGroup: false
            }
        }
    }

    /// A half message that is left as it is.
    package struct Undecided: Sendable, Hashable {
        package var topic: String
        package var messageType: String
        /// Where it stands among the questions, and how many were asked; nil where it is parked and not asked about any more.
        package var place: DueTransaction.Place?
        package var checks: Int

        package init(topic: String, messageType: String, place: DueTransaction.Place?, checks: Int) {
            self.topic = topic
            self.messageType = messageType
            self.place = place
            self.checks = checks
        }
    }
}

/// A half message whose publisher is to be asked.
package struct DueTransaction: Sendable {
    /// Where it stands in the order in which they come due.
    package struct Place: Sendable, Hashable {
        package var nextCheckAt: Timestamp
        package var seq: Int64

        package init(nextCheckAt: Timestamp, seq: Int64) {
            self.nextCheckAt = nextCheckAt
            self.seq = seq
        }
    }

    package var seq: Int64
    package var message: Message
    package var connectionGroup: String
    /// Questions asked so far.
    package var checks: Int
    /// Unix milliseconds, as the row has it: rescheduling is conditional on it.
    package var nextCheckAt: Timestamp

    package init(seq: Int64, message: Message, connectionGroup: String, checks: Int, nextCheckAt: Timestamp) {
        self.seq = seq
        self.message = message
        self.connectionGroup = connectionGroup
        self.checks = checks
        self.nextCheckAt = nextCheckAt
    }

    package var place: Place { Place(nextCheckAt: nextCheckAt, seq: seq) }

    /// Those that are asked about it, and may answer. Where groups show who they are: that of the connection that published it,
    /// alone. Where nobody does, the one that its header names comes first, as the protocol has it.
    package func groups(trustingHeader: Bool) -> [String] {
        guard trustingHeader, BindingName(message.publisherGroup) != BindingName(connectionGroup) else {
            return [connectionGroup]
        }
        return [message.publisherGroup, connectionGroup]
    }
}

/// What becomes of a due transaction's row.
package struct TransactionCheck: Sendable {
    package enum Action: Sendable, Hashable {
        /// Ask again then; `checks` counts this question (or is unchanged where nobody could be asked).
        case next(at: Timestamp, checks: Int)
        /// Park the message among the dead letters as undecided.
        case park
    }

    package var seq: Int64
    /// The row's value when it was read; a row that has another one since is left alone.
    package var previousCheckAt: Timestamp
    package var action: Action

    package init(seq: Int64, previousCheckAt: Timestamp, action: Action) {
        self.seq = seq
        self.previousCheckAt = previousCheckAt
        self.action = action
    }
}
