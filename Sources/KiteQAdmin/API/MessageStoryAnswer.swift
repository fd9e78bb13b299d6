import KiteQCore

/// All that is known of one message.
struct MessageStoryAnswer: Encodable, Sendable {
    struct Group: Encodable, Sendable {
        enum State: String, Encodable, Sendable { case waiting, working, retrying, done, dead }

        var group: String
        var state: State
        var broker: String?
        var attempts: Int
        var lastError: String?
        var dueAt: Time?
    }

    struct Transaction: Encodable, Sendable {
        var outcome: TransactionOutcomeName
        var checks: Int
        var nextCheckAt: Time?
        var decidedAt: Time?
    }

    struct Event: Encodable, Sendable {
        var at: Time
        var text: String
        /// Still to come, unless something else happens first.
        var isExpected: Bool
    }

    @ExplicitNull var message: MessageAnswer?
    @ExplicitNull var content: ContentAnswer?
    var groups: [Group]
    @ExplicitNull var transaction: Transaction?
    var deadLetters: [DeadLetterAnswer]
    var events: [Event]

    init(_ story: MessageStory, _ caller: Caller) {
        message = story.message.map(MessageAnswer.init)
        // What kind of body a dead one has is not told; text is recognized all the same.
        let kind = story.message?.kind ?? story.deadLetters.last?.kind ?? .bytes
        content = story.content.flatMap {
            caller.seesContent
                ? ContentAnswer(kind: kind, header: $0.header, body: $0.body, bodySize: $0.bodySize) : nil
        }
        groups = story.groups.map { Group($0, caller) }
        transaction = story.transaction.map(Transaction.init)
        deadLetters = story.deadLetters.map { DeadLetterAnswer($0, caller) }
        events = story.events.map { Event(at: $0.at.time, text: $0.kind.sentence, isExpected: $0.isExpected) }
    }
}

extension MessageStoryAnswer.Group {
    init(_ delivery: GroupDelivery, _ caller: Caller) {
        group = delivery.group
        attempts = delivery.attempts
        // Consumers write it, and may repeat in it what the message holds.
        lastError = caller.seesContent ? delivery.lastError : nil
        broker = delivery.ownerName ?? (delivery.owner == 0 ? nil : "incarnation \(delivery.owner)")
        switch delivery.state {
        case .fresh, .away: state = .waiting
        case .held: state = .working
        case .retrying(let dueAt):
            state = .retrying
            self.dueAt = dueAt.time
        case .dead: state = .dead
        }
    }
}

extension MessageStoryAnswer.Transaction {
    init(_ record: TransactionRecord) {
        outcome = TransactionOutcomeName(record.outcome)
        checks = record.checks
        if record.outcome == .undecided { nextCheckAt = record.at.time } else { decidedAt = record.at.time }
    }
}

extension MessageEvent.Kind {
    /// For a person.
    var sentence: String {
        switch self {
        case .published: "published (by its producer's clock)"
        case .accepted: "accepted by a broker and stored"
        case .decided(.committed): "committed"
        case .decided(.rolledBack): "rolled back"
        case .decided(.parked): "parked among the dead letters: nobody decided it"
        case .decided(.undecided): "undecided"
        case .died(let group, .attemptsUsedUp): "dead for group \(group): its attempts were used up"
        case .died(let group, .expired): "dead for group \(group): it expired"
        case .died(_, .undecided): "among the dead letters, undecided"
        case .question(let checks): "its publisher is asked whether to commit (question \(checks + 1))"
        case .retry(let group): "tried again for group \(group)"
        case .expiry: "expires"
        }
    }
}
