import KiteQCore

/// The rows of one shard, and the rules by which they change: those of the SQL, said in Swift.
struct InMemoryShard: Sendable {
    struct Row: Sendable {
        var stored: StoredMessage
        var owner: Int64
    }

    struct Transaction: Sendable {
        var seq: Int64
        var publisherGroup: String
        var connectionGroup: String
        var outcome = TransactionOutcome.undecided
        var checks = 0
        /// Once decided: when that was.
        var nextCheckAt: Timestamp
    }

    struct DeadLetter: Sendable {
        var message: Message
        var seq: Int64
        var group: String
        var reason: DeadLetterReason
        var attempts: Int
        var diedAt: Timestamp
    }

    var messages: [Int64: Row] = [:]
    var seqByID: [MessageID: Int64] = [:]
    var transactions: [MessageID: Transaction] = [:]
    var deadLetters: [DeadLetter] = []

    // MARK: Publishing

    mutating func insert(_ insertion: Insertion, owner: Int64) -> Insertion.Outcome {
        let id = insertion.message.id
        if let seq = seqByID[id] { return .duplicate(of: seq) }
        if let transaction = transactions[id], insertion.isHalf { return .decided(transaction.outcome) }
        messages[insertion.seq] = Row(
            stored: StoredMessage(
                seq: insertion.seq, message: insertion.message, state: insertion.isHalf ? .half : .fresh,
                route: insertion.route ?? Route([])),
            owner: owner)
        seqByID[id] = insertion.seq
        if insertion.isHalf {
            transactions[id] = Transaction(
                seq: insertion.seq, publisherGroup: insertion.message.publisherGroup,
                connectionGroup: insertion.connectionGroup, nextCheckAt: insertion.firstCheckAt)
        }
        return .stored
    }

    mutating func decide(
        _ decision: TransactionDecision, owner: Int64, route: (String, String) -> Route
    ) -> TransactionDecision.Outcome {
        guard let transaction = transactions[decision.messageID] else { return .unknown }
        guard [transaction.publisherGroup, transaction.connectionGroup].contains(decision.connectionGroup) else {
            return .wrongGroup(publisherGroup: transaction.publisherGroup)
        }
        guard transaction.outcome == .undecided, let row = messages[transaction.seq] else {
            return .alreadyDecided(transaction.outcome)
        }
        transactions[decision.messageID]?.outcome = decision.answer == .commit ? .committed : .rolledBack
        transactions[decision.messageID]?.nextCheckAt = StoreClock.now()
        guard decision.answer == .commit else {
            remove(transaction.seq)
            return .rolledBack
        }
        let message = row.stored.message
        let route = route(message.topic, message.messageType)
        guard !route.members.isEmpty else {
            remove(transaction.seq)
            return .committedForNobody
        }
        messages[transaction.seq] = Row(
            stored: StoredMessage(seq: transaction.seq, message: message, state: .fresh, route: route), owner: owner)
        return .committed(seq: transaction.seq, route: route, message: decision.needsContent ? message : nil)
    }

    // MARK: Settling

    /// False where the message is not this owner's.
    mutating func settle(_ settlement: Settlement, owner: Int64) -> Bool {
        guard var row = messages[settlement.seq], row.owner == owner, row.stored.state != .half else { return false }
        for dead in settlement.dead {
            deadLetters.append(
                DeadLetter(
                    message: row.stored.message, seq: settlement.seq, group: dead.group, reason: dead.reason,
                    attempts: dead.attempts, diedAt: StoreClock.now()))
        }
        if row.stored.state == .fresh {
            row.stored.deliveries = []
        } else {
            let gone = Set(settlement.done + settlement.dead.map(\.group) + settlement.pending.map(\.group))
            row.stored.deliveries.removeAll { gone.contains($0.group) }
        }
        row.stored.deliveries += settlement.pending.map {
            StoredMessage.Delivery(group: $0.group, attempts: $0.attempts, dueAt: $0.dueAt)
        }
        row.stored.state = .tracked
        row.stored.route = Route([])
        if row.stored.deliveries.isEmpty {
            remove(settlement.seq)
        } else {
            messages[settlement.seq] = row
        }
        return true
    }

    mutating func remove(_ seq: Int64) {
        guard let row = messages.removeValue(forKey: seq) else { return }
        seqByID[row.stored.message.id] = nil
    }

    // MARK: Recovery

    func deliveries(
        of group: String, in range: DeliveryRange, limit: Int, owners: InMemoryData.Owners
    ) -> DeliveryPage {
        var rows: [(owner: Int64, row: DeliveryPage.Row)] = []
        for message in messages.values where message.stored.state == .tracked {
            for delivery in message.stored.deliveries where delivery.group == group {
                let row = DeliveryPage.Row(seq: message.stored.seq, attempts: delivery.attempts, dueAt: delivery.dueAt)
                switch range {
                case .waiting(let after):
                    if row.dueAt == 0 && row.seq > after { rows.append((message.owner, row)) }
                case .due(let now, let after):
                    if row.dueAt > 0 && row.dueAt <= now && (row.dueAt, row.seq) > (after.dueAt, after.seq) {
                        rows.append((message.owner, row))
                    }
                }
            }
        }
        rows.sort { ($0.row.dueAt, $0.row.seq) < ($1.row.dueAt, $1.row.seq) }
        let page = rows.prefix(limit)
        return DeliveryPage(
            rows: page.filter { owners.contains($0.owner) }.map(\.row),
            next: page.count < limit ? nil : page.last.map { DeliveryCursor(dueAt: $0.row.dueAt, seq: $0.row.seq) })
    }

    mutating func reschedule(_ check: TransactionCheck) {
        guard let row = messages[check.seq], let transaction = transactions[row.stored.message.id],
            transaction.outcome == .undecided, transaction.nextCheckAt == check.previousCheckAt
        else { return }
        let id = row.stored.message.id
        switch check.action {
        case .next(let at, let checks):
            transactions[id]?.nextCheckAt = at
            transactions[id]?.checks = checks
        case .park:
            transactions[id]?.outcome = .parked
            transactions[id]?.nextCheckAt = StoreClock.now()
            deadLetters.append(
                DeadLetter(
                    message: row.stored.message, seq: check.seq, group: "", reason: .undecided,
                    attempts: transaction.checks, diedAt: StoreClock.now()))
            remove(check.seq)
        }
    }

    mutating func purge(decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int) -> Int {
        let old = transactions.filter { $0.value.outcome != .undecided && $0.value.nextCheckAt < decidedBefore }
            .prefix(limit)
        for (id, _) in old { transactions[id] = nil }
        let before = deadLetters.count
        var room = limit
        deadLetters.removeAll { letter in
            guard letter.diedAt < deadLettersBefore, room > 0 else { return false }
            room -= 1
            return true
        }
        return old.count + before - deadLetters.count
    }
}
