import KiteQCore

/// Commits and roll backs: the first final answer wins, also one that comes after the message was parked.
extension InMemoryShard {
    mutating func decide(
        _ batch: [TransactionDecision], owner: Int64, route: (String, String) -> Route?
    ) -> [TransactionDecision.Outcome] {
        // An answer behind one that had to be left must not overtake it.
        var left: [MessageID: TransactionDecision.Undecided] = [:]
        return batch.map { decision in
            let outcome = decide(decision, left: left[decision.messageID], owner: owner, route: route)
            if case .unknownTopic(let undecided) = outcome { left[decision.messageID] = undecided }
            return outcome
        }
    }

    private mutating func decide(
        _ decision: TransactionDecision, left: TransactionDecision.Undecided?, owner: Int64,
        route: (String, String) -> Route?
    ) -> TransactionDecision.Outcome {
        let id = decision.messageID
        guard let transaction = transactions[id] else { return decideLetter(decision, left, owner: owner, route) }
        let (publisher, publishedBy) = (transaction.publisherGroup, transaction.connectionGroup)
        guard decision.mayDecide(publisherGroup: publisher, publishedBy: publishedBy) else {
            return .wrongGroup(publisherGroup: transaction.publisherGroup)
        }
        if transaction.outcome == .parked { return decideLetter(decision, left, owner: owner, route) }
        guard transaction.outcome == .undecided, let row = messages[transaction.seq] else {
            return .alreadyDecided(transaction.outcome)
        }
        if let left { return .unknownTopic(left) }
        let message = row.stored.message
        var receivers: Route?
        if decision.answer == .commit {
            receivers = route(message.topic, message.messageType)
            if receivers == nil {
                return .unknownTopic(
                    .init(
                        topic: message.topic, messageType: message.messageType,
                        place: .init(nextCheckAt: transaction.nextCheckAt, seq: transaction.seq),
                        checks: transaction.checks))
            }
        }
        remember(id, decision.answer.outcome)
        return finish(message, transaction.seq, receivers, decision, owner: owner)
    }

    /// A parked one is undecided for as long as its dead letter is there.
    private mutating func decideLetter(
        _ decision: TransactionDecision, _ left: TransactionDecision.Undecided?, owner: Int64,
        _ route: (String, String) -> Route?
    ) -> TransactionDecision.Outcome {
        let id = decision.messageID
        let transaction = transactions[id]
        let place = deadLetters.lastIndex { letter in
            letter.message.id == id && letter.reason == .undecided && transaction.map { $0.seq == letter.seq } ?? true
        }
        guard let place else { return transaction.map { .alreadyDecided($0.outcome) } ?? .unknown }
        let letter = deadLetters[place]
        let message = letter.message
        if transaction == nil, !decision.mayDecide(publisherGroup: message.publisherGroup, publishedBy: nil) {
            return .wrongGroup(publisherGroup: message.publisherGroup)
        }
        if seqByID[id] != nil { return .alreadyDecided(.parked) }
        if let left { return .unknownTopic(left) }
        var receivers: Route?
        if decision.answer == .commit {
            receivers = route(message.topic, message.messageType)
            if receivers == nil {
                return .unknownTopic(
                    .init(
                        topic: message.topic, messageType: message.messageType, place: nil, checks: letter.attempts))
            }
        }
        deadLetters.remove(at: place)
        if transaction == nil {
            transactions[id] = Transaction(
                seq: letter.seq, publisherGroup: message.publisherGroup, connectionGroup: message.publisherGroup,
                subject: SubjectHash.of(topic: message.topic, messageType: message.messageType),
                checks: letter.attempts, nextCheckAt: 0)
        }
        remember(id, decision.answer.outcome)
        let least = now + DeadLetter.shortestLife
        let living = Message(
            id: id, kind: message.kind, topic: message.topic, messageType: message.messageType,
            publisherGroup: message.publisherGroup, expiresAt: max(message.expiresAt, least),
            deliverLimit: message.deliverLimit, publishedAt: message.publishedAt, header: message.header,
            body: message.body, extra: message.extra)
        // A broker may have the message in memory as it was, with the life that it had.
        var decision = decision
        decision.needsContent = true
        return .decidedLate(finish(living, letter.seq, receivers, decision, owner: owner))
    }

    private mutating func remember(_ id: MessageID, _ outcome: TransactionOutcome) {
        transactions[id]?.outcome = outcome
        let now = now
        transactions[id]?.nextCheckAt = now
    }

    /// - Parameter route: who gets it; nil where it is rolled back.
    private mutating func finish(
        _ message: Message, _ seq: Int64, _ route: Route?, _ decision: TransactionDecision, owner: Int64
    ) -> TransactionDecision.Outcome {
        guard let route, !route.isEmpty else {
            remove(seq)
            return route == nil
                ? .rolledBack : .committedForNobody(topic: message.topic, messageType: message.messageType)
        }
        messages[seq] = Row(
            stored: StoredMessage(seq: seq, message: message, state: .fresh, route: route), owner: owner)
        seqByID[message.id] = seq
        return .committed(seq: seq, route: route, message: decision.needsContent(of: seq) ? message : nil)
    }
}
