/// What a store has of an id under which a message is published: the one rule for ids that are used again.
///
/// An id is one message. A publish that repeats it is acknowledged only if the message that the store has is to be delivered,
/// or was, and the repeat says the same of it; whatever else would be promised and not kept is refused with a sentence. Where
/// nothing speaks against it (``outcome(for:)`` is nil) the id begins a new life.
///
/// | the store has | a committed publish | a half publish |
/// | --- | --- | --- |
/// | nothing | stored | stored |
/// | the message, to be delivered | stored before | refused |
/// | the same, committed by an answer | stored before | stored before |
/// | a half message, undecided | refused | stored before, if the same group answers for both |
/// | a message of another topic or type | refused | refused |
/// | committed by an answer, and done | stored: a new life | stored before, and committed |
/// | rolled back | stored: a new life | refused |
/// | parked among the dead letters | stored: a new life | refused |
///
/// So a packet of a half message that comes late, its roll back having overtaken it, does not bring it to life. A committed
/// publish is decided by nobody but itself, so it is none of an earlier half message's business.
package struct KnownID: Sendable, Hashable {
    /// The message of that id that is not done.
    package struct Row: Sendable, Hashable {
        package var seq: Int64
        package var isHalf: Bool
        package var topic: String
        package var messageType: String

        package init(seq: Int64, isHalf: Bool, topic: String, messageType: String) {
            self.seq = seq
            self.isHalf = isHalf
            self.topic = topic
            self.messageType = messageType
        }
    }

    /// What is remembered of a half message of that id.
    package struct Half: Sendable, Hashable {
        package var outcome: TransactionOutcome
        /// Those that may answer for it.
        package var groups: [String]

        package init(outcome: TransactionOutcome, groups: [String]) {
            self.outcome = outcome
            self.groups = groups
        }
    }

    package var row: Row?
    package var half: Half?

    package init(row: Row? = nil, half: Half? = nil) {
        self.row = row
        self.half = half
    }

    /// Once this one is stored.
    package init(_ stored: Insertion) {
        row = Row(
            seq: stored.seq, isHalf: stored.isHalf, topic: stored.message.topic,
            messageType: stored.message.messageType)
        if stored.isHalf {
            half = Half(outcome: .undecided, groups: [stored.message.publisherGroup, stored.connectionGroup])
        }
    }

    /// What becomes of a publish under this id; nil where it may be stored.
    package func outcome(for publish: Insertion) -> Insertion.Outcome? {
        if let row = standingRow { return outcome(for: publish, over: row) }
        guard publish.isHalf, let half else { return nil }
        switch half.outcome {
        // It is being stored or decided at this moment.
        case .undecided: return nil
        case .committed: return .committedBefore
        case .rolledBack: return .taken(.rolledBack)
        case .parked: return .taken(.parked)
        }
    }

    /// The two may have been read one after the other: a half message that was decided meanwhile is what it was decided to be.
    private var standingRow: Row? {
        guard var row, row.isHalf, let half else { return row }
        switch half.outcome {
        case .undecided: return row
        case .committed:
            row.isHalf = false
            return row
        case .rolledBack, .parked: return nil
        }
    }

    private func outcome(for publish: Insertion, over row: Row) -> Insertion.Outcome {
        // An earlier try of this very publish.
        if row.seq == publish.seq { return .stored }
        let message = publish.message
        guard isSame(row.topic, message.topic), isSame(row.messageType, message.messageType) else {
            return .taken(.otherMessage(topic: row.topic, messageType: row.messageType))
        }
        switch (row.isHalf, publish.isHalf) {
        case (false, false): return .duplicate(of: row.seq)
        case (true, false): return .taken(.undecided)
        case (false, true): return half?.outcome == .committed ? .duplicate(of: row.seq) : .taken(.committedMessage)
        case (true, true):
            let mayAnswer = half?.groups.contains { isSame($0, publish.connectionGroup) } ?? false
            return mayAnswer ? .duplicate(of: row.seq) : .taken(.otherPublisher)
        }
    }

    /// Names count by their bytes.
    private func isSame(_ one: String, _ other: String) -> Bool { one.utf8.elementsEqual(other.utf8) }
}

/// Why a message is not stored under its id.
package enum TakenID: Sendable, Hashable, CustomStringConvertible {
    /// It is a half message's, which would be committed past its producer's answer.
    case undecided
    /// It is a committed message's, which no answer could roll back.
    case committedMessage
    case rolledBack
    case parked
    case otherMessage(topic: String, messageType: String)
    /// It is a half message's of a group whose answer is not this publisher's.
    case otherPublisher

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
        case .otherMessage(let topic, let messageType):
            "this id is that of a message of topic \(topic) and type \(messageType): publish under a new id"
        case .otherPublisher:
            "this id is that of a half message of another group, for which this publisher may not answer: publish under a new id"
        }
    }
}
