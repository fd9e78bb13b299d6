/// Something that happened to a message, or is going to.
package struct MessageEvent: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// By the producer's clock.
        case published
        /// By the clock of the broker that took it.
        case accepted
        /// Committed, rolled back, or parked as undecided.
        case decided(TransactionOutcome)
        case died(group: String, reason: DeadLetterReason)
        /// The producer is asked about the half message (once more than `checks`).
        case question(checks: Int)
        case retry(group: String)
        case expiry
    }

    package var at: Timestamp
    package var kind: Kind

    package init(at: Timestamp, kind: Kind) {
        self.at = at
        self.kind = kind
    }

    /// Still to come when the rows were read, unless something else happens first.
    package var isExpected: Bool {
        switch kind {
        case .published, .accepted, .decided, .died: false
        case .question, .retry, .expiry: true
        }
    }

    /// What rows tell, by time.
    static func all(
        _ message: MessageSummary?, _ groups: [GroupDelivery], _ transaction: TransactionRecord?,
        _ letters: [DeadLetter]
    ) -> [MessageEvent] {
        var events: [MessageEvent] = []
        if let message {
            events.append(MessageEvent(at: message.publishedAt, kind: .published))
            events.append(MessageEvent(at: message.acceptedAt, kind: .accepted))
            events.append(MessageEvent(at: message.expiresAt, kind: .expiry))
        } else if let letter = letters.first {
            events.append(MessageEvent(at: letter.publishedAt, kind: .published))
            events.append(MessageEvent(at: SequenceGenerator.timestamp(of: letter.seq), kind: .accepted))
        }
        if let transaction {
            events.append(
                MessageEvent(
                    at: transaction.at,
                    kind: transaction.outcome == .undecided
                        ? .question(checks: transaction.checks) : .decided(transaction.outcome)))
        }
        for letter in letters {
            events.append(MessageEvent(at: letter.diedAt, kind: .died(group: letter.group, reason: letter.reason)))
        }
        for delivery in groups {
            guard case .retrying(let dueAt) = delivery.state else { continue }
            events.append(MessageEvent(at: dueAt, kind: .retry(group: delivery.group)))
        }
        return events.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }
}
