/// What a store has of an id under which a message is published: the one rule for ids that are used again.
///
/// An id is one message: of one group, topic and message type, with one body. A publish that repeats it is acknowledged only if the
/// message that the store has is to be delivered, or was, and the repeat says the same of it; whatever else would be promised and
/// not kept is refused with a sentence. Where nothing speaks against it (``outcome(for:)`` is nil) the id begins a new life.
///
/// | the store has | a committed publish | a half publish |
/// | --- | --- | --- |
/// | nothing | stored | stored |
/// | the message, to be delivered | stored before | refused |
/// | the same, committed by an answer | stored before | stored before |
/// | a half message, undecided | refused | stored before |
/// | a message of another group, topic or type, or with another body | refused | refused |
/// | committed by an answer, and done | stored: a new life | stored before, and committed |
/// | rolled back | stored: a new life | refused |
/// | parked among the dead letters | stored: a new life | refused |
/// | one of these three, of another group, topic or type | stored: a new life | refused |
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
        /// The header's.
        package var publisherGroup: String
        package var body: BodyMark

        package init(
            seq: Int64, isHalf: Bool, topic: String, messageType: String, publisherGroup: String, body: BodyMark
        ) {
            self.seq = seq
            self.isHalf = isHalf
            self.topic = topic
            self.messageType = messageType
            self.publisherGroup = publisherGroup
            self.body = body
        }
    }

    /// What is remembered of a half message of that id.
    package struct Half: Sendable, Hashable {
        package var outcome: TransactionOutcome
        /// The header's.
        package var publisherGroup: String
        /// Of the connection that published it.
        package var connectionGroup: String
        /// ``SubjectHash`` of its topic and type; nil where a version stored it that did not keep that.
        package var subject: UInt64?

        package init(
            outcome: TransactionOutcome, publisherGroup: String, connectionGroup: String, subject: UInt64?
        ) {
            self.outcome = outcome
            self.publisherGroup = publisherGroup
            self.connectionGroup = connectionGroup
            self.subject = subject
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
        let message = stored.message
        row = Row(
            seq: stored.seq, isHalf: stored.isHalf, topic: message.topic, messageType: message.messageType,
            publisherGroup: message.publisherGroup, body: BodyMark(message))
        if stored.isHalf {
            half = Half(
                outcome: .undecided, publisherGroup: message.publisherGroup, connectionGroup: stored.connectionGroup,
                subject: stored.subject)
        }
    }

    /// What becomes of a publish under this id; nil where it may be stored.
    package func outcome(for publish: Insertion) -> Insertion.Outcome? {
        if let row = standingRow { return outcome(for: publish, over: row) }
        // Undecided without a message: it is being stored or decided at this moment.
        guard publish.isHalf, let half, half.outcome != .undecided else { return nil }
        guard half.isPublisher(of: publish), half.subject.map({ $0 == publish.subject }) ?? true else {
            return .taken(.otherMessage)
        }
        switch half.outcome {
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
        guard isSame(row.topic, message.topic), isSame(row.messageType, message.messageType),
            isSame(row.publisherGroup, message.publisherGroup)
        else { return .taken(.otherMessage) }
        switch (row.isHalf, publish.isHalf) {
        case (false, false): break
        case (true, false): return .taken(.undecided)
        case (false, true):
            guard let half, half.outcome == .committed else { return .taken(.committedMessage) }
            guard half.isPublisher(of: publish) else { return .taken(.otherMessage) }
        case (true, true):
            guard let half, half.isPublisher(of: publish) else { return .taken(.otherMessage) }
        }
        return row.body.matches(message) ? .duplicate(of: row.seq) : .taken(.otherBody)
    }
}

extension KnownID.Half {
    /// Whether that is a publish of the same group, by a connection of the same group.
    fileprivate func isPublisher(of publish: Insertion) -> Bool {
        isSame(publisherGroup, publish.message.publisherGroup) && isSame(connectionGroup, publish.connectionGroup)
    }
}

/// Names count by their bytes.
private func isSame(_ one: String, _ other: String) -> Bool { BindingName(one) == BindingName(other) }
