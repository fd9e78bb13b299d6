import KiteQCore

/// What operators change in one shard: the rules of the SQL, said in Swift.
extension InMemoryShard {
    /// Gives the message of a letter to groups, and ends the letter.
    mutating func requeue(
        _ number: Int64, to groups: [String], lifetime: Timestamp?, now: Timestamp
    ) -> RequeueOutcome {
        guard let place = deadLetters.firstIndex(where: { $0.number == number }) else { return .notFound }
        let dead = deadLetters[place]
        let (id, isUndecided) = (dead.message.id, dead.reason == .undecided)
        if isUndecided, let outcome = transactions[id]?.outcome, outcome == .committed || outcome == .rolledBack {
            let answer = outcome == .committed ? "commit" : "roll back"
            return .refused("its producer has said \(answer) meanwhile; delete it")
        }
        if let row = messages[dead.seq], row.stored.state != .tracked || isUndecided {
            return .refused("message \(id) is still on its way to all of its groups; try again later")
        }
        if messages[dead.seq] == nil, let other = seqByID[id] {
            return .refused(
                "message \(id) was published again and is on its way as seq \(other); try again when that is done, or delete this letter"
            )
        }
        let expiresAt = now + (lifetime ?? dead.letter(shard: 0).lifetime)
        owe(groups, dead.message, dead.seq, now: now) { row in
            let least = lifetime == nil ? now + DeadLetter.shortestLife : expiresAt
            return row.map { $0.expiresAt < least ? expiresAt : $0.expiresAt } ?? expiresAt
        }
        if isUndecided { decideParked(id, .committed, now: now) }
        deadLetters.remove(at: place)
        return .requeued(groups: groups)
    }

    /// Deletes letters, an undecided one as rolled back. Returns those that were there.
    mutating func deleteDeadLetters(_ numbers: Set<Int64>, now: Timestamp) -> Set<Int64> {
        let found = deadLetters.filter { numbers.contains($0.number) }
        for letter in found where letter.reason == .undecided { decideParked(letter.message.id, .rolledBack, now: now) }
        deadLetters.removeAll { numbers.contains($0.number) }
        return Set(found.map(\.number))
    }

    /// Decides a half message that is not parked; nil where it is to be committed, to no groups that are named, and `route`
    /// does not know any.
    mutating func resolve(
        _ id: MessageID, _ answer: TransactionDecision.Answer, to groups: [String], now: Timestamp,
        route: (String, String) -> Route?
    ) -> TransactionResolution? {
        guard let transaction = transactions[id] else { return .unknown }
        guard transaction.outcome == .undecided, let row = messages[transaction.seq] else {
            return .alreadyDecided(transaction.outcome)
        }
        let message = row.stored.message
        var receivers = groups
        if answer == .commit, groups.isEmpty {
            guard let route = route(message.topic, message.messageType) else { return nil }
            guard !route.isEmpty else { return .refused("no group is bound to it; name those that are to get it") }
            receivers = route.members.map(\.group)
        }
        transactions[id]?.outcome = answer.outcome
        transactions[id]?.nextCheckAt = now
        guard answer == .commit else {
            remove(transaction.seq)
            return .rolledBack
        }
        owe(receivers, message, transaction.seq, now: now) { row in
            max(row?.expiresAt ?? 0, now + DeadLetter.shortestLife)
        }
        return .committed(groups: receivers)
    }

    /// Each of the groups gets a delivery that is due and nobody's; one that has one keeps it.
    private mutating func owe(
        _ groups: [String], _ message: Message, _ seq: Int64, now: Timestamp, expiresAt: (Message?) -> Timestamp
    ) {
        let earlier = messages[seq]
        let expiresAt = expiresAt(earlier?.stored.message)
        let message = Message(
            id: message.id, kind: message.kind, topic: message.topic, messageType: message.messageType,
            publisherGroup: message.publisherGroup, expiresAt: expiresAt, deliverLimit: message.deliverLimit,
            publishedAt: message.publishedAt, header: message.header, body: message.body, extra: message.extra)
        var row = Row(
            stored: StoredMessage(
                seq: seq, message: message, state: .tracked, route: Route([]),
                deliveries: earlier?.stored.deliveries ?? []),
            owner: 0, deliveryOwners: earlier?.deliveryOwners ?? [:], lastErrors: earlier?.lastErrors ?? [:])
        for group in groups where row.delivery(to: group) == nil {
            row.stored.deliveries.append(.init(group: group, attempts: 0, dueAt: now))
        }
        messages[seq] = row
        seqByID[message.id] = seq
    }

    private mutating func decideParked(_ id: MessageID, _ outcome: TransactionOutcome, now: Timestamp) {
        guard transactions[id]?.outcome == .parked else { return }
        transactions[id]?.outcome = outcome
        transactions[id]?.nextCheckAt = now
    }
}
