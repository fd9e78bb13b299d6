import KiteQCore

/// The rows of one shard, and the rules by which they change: those of the SQL, said in Swift.
struct InMemoryShard: Sendable {
    struct Row: Sendable {
        var stored: StoredMessage
        /// Who works on it while it is fresh; 0 once it is tracked.
        var owner: Int64
        /// Who works on each group's delivery once it is tracked; 0 or none: nobody.
        var deliveryOwners: [String: Int64] = [:]
        var lastErrors: [String: String] = [:]
    }

    struct Transaction: Sendable {
        var seq: Int64
        var publisherGroup: String
        var connectionGroup: String
        var subject: UInt64
        var outcome = TransactionOutcome.undecided
        var checks = 0
        /// Once decided: when that was.
        var nextCheckAt: Timestamp
    }

    struct DeadRow: Sendable {
        var number: Int64
        var message: Message
        var seq: Int64
        var group: String
        var reason: DeadLetterReason
        var attempts: Int
        var lastError: String?
        var diedAt: Timestamp
    }

    var messages: [Int64: Row] = [:]
    var seqByID: [MessageID: Int64] = [:]
    var transactions: [MessageID: Transaction] = [:]
    var deadLetters: [DeadRow] = []
    private var lastLetter: Int64 = 0
    /// How far the clock is ahead of the machine's, milliseconds.
    var clockLead: Timestamp = 0
    var now: Timestamp { StoreClock.wall() + clockLead }

    // MARK: Publishing

    mutating func insert(_ insertion: Insertion, owner: Int64) -> Insertion.Outcome {
        let id = insertion.message.id
        if let outcome = known(id).outcome(for: insertion) { return outcome }
        messages[insertion.seq] = Row(
            stored: StoredMessage(
                seq: insertion.seq, message: insertion.message, state: insertion.isHalf ? .half : .fresh,
                route: insertion.route ?? Route([])),
            owner: owner)
        seqByID[id] = insertion.seq
        if insertion.isHalf {
            transactions[id] = Transaction(
                seq: insertion.seq, publisherGroup: insertion.message.publisherGroup,
                connectionGroup: insertion.connectionGroup, subject: insertion.subject,
                nextCheckAt: insertion.firstCheckAt)
        }
        return .stored
    }

    /// What is there under an id, done or not.
    private func known(_ id: MessageID) -> KnownID {
        KnownID(
            row: seqByID[id].flatMap { messages[$0]?.stored }.map {
                KnownID.Row(
                    seq: $0.seq, isHalf: $0.state == .half, topic: $0.message.topic,
                    messageType: $0.message.messageType, publisherGroup: $0.message.publisherGroup,
                    body: BodyMark($0.message))
            },
            half: transactions[id].map {
                KnownID.Half(
                    outcome: $0.outcome, publisherGroup: $0.publisherGroup, connectionGroup: $0.connectionGroup,
                    subject: $0.subject)
            })
    }

    // MARK: Settling

    /// False where it is not this owner's.
    mutating func settle(_ settlement: Settlement, owner: Int64) -> Bool {
        if settlement.isLate {
            endLate(settlement)
            return true
        }
        guard var row = messages[settlement.seq] else { return false }
        let isOwn =
            settlement.wasTracked
            ? row.stored.state == .tracked
                && settlement.groups.allSatisfy { group in
                    row.deliveryOwners[group] == owner && row.stored.deliveries.contains { $0.group == group }
                }
            : row.stored.state == .fresh && row.owner == owner
        guard isOwn else { return false }
        for dead in settlement.dead {
            bury(row, settlement.seq, dead.group, dead.reason, attempts: dead.attempts, dead.lastError)
        }
        let named = Set(settlement.groups)
        row.stored.deliveries = settlement.wasTracked ? row.stored.deliveries.filter { !named.contains($0.group) } : []
        for pending in settlement.pending {
            row.stored.deliveries.append(
                StoredMessage.Delivery(group: pending.group, attempts: pending.attempts, dueAt: pending.dueAt))
            row.deliveryOwners[pending.group] = pending.isHeld ? owner : 0
            row.lastErrors[pending.group] = pending.lastError
        }
        row.stored.state = .tracked
        row.stored.route = Route([])
        row.owner = 0
        messages[settlement.seq] = row
        removeIfDone(settlement.seq)
        return true
    }

    /// Groups that handled a message after their attempt had been given up.
    private mutating func endLate(_ settlement: Settlement) {
        let groups = Set(settlement.late)
        deadLetters.removeAll { $0.seq == settlement.seq && groups.contains($0.group) && $0.reason != .undecided }
        guard messages[settlement.seq]?.stored.state == .tracked else { return }
        messages[settlement.seq]?.stored.deliveries.removeAll { groups.contains($0.group) }
        for group in groups { messages[settlement.seq]?.deliveryOwners[group] = nil }
        removeIfDone(settlement.seq)
    }

    private mutating func bury(
        _ row: Row, _ seq: Int64, _ group: String, _ reason: DeadLetterReason, attempts: Int, _ lastError: String? = nil
    ) {
        lastLetter += 1
        deadLetters.append(
            DeadRow(
                number: lastLetter, message: row.stored.message, seq: seq, group: group, reason: reason,
                attempts: attempts, lastError: lastError, diedAt: now))
    }

    private mutating func removeIfDone(_ seq: Int64) {
        if messages[seq]?.stored.deliveries.isEmpty == true { remove(seq) }
    }

    mutating func remove(_ seq: Int64) {
        guard let row = messages.removeValue(forKey: seq) else { return }
        seqByID[row.stored.message.id] = nil
    }

    // MARK: Recovery

    func deliveries(of group: String, in range: DeliveryRange, limit: Int) -> [Int64] {
        var rows: [(dueAt: Timestamp, seq: Int64)] = []
        for row in messages.values where row.stored.state == .tracked {
            for delivery in row.stored.deliveries where delivery.group == group {
                switch range {
                case .waiting(let after):
                    if delivery.dueAt == 0 && row.stored.seq > after { rows.append((0, row.stored.seq)) }
                case .due(let now, let latest):
                    let isHeld = delivery.dueAt == Settlement.Pending.heldDueAt
                    if (1...max(1, now)).contains(delivery.dueAt) || (delivery.dueAt > latest && !isHeld) {
                        rows.append((delivery.dueAt, row.stored.seq))
                    }
                }
            }
        }
        return rows.sorted { ($0.dueAt, $0.seq) < ($1.dueAt, $1.seq) }.prefix(limit).map(\.seq)
    }

    mutating func load(_ seq: Int64, for group: String, by owner: Int64, living: Set<Int64>) -> StoredMessage? {
        guard let row = messages[seq] else { return nil }
        switch row.stored.state {
        case .half:
            return nil
        case .fresh:
            guard row.owner == owner || !living.contains(row.owner) else { return nil }
            messages[seq]?.owner = owner
            return row.stored
        case .tracked:
            guard let place = row.stored.deliveries.firstIndex(where: { $0.group == group }),
                [0, owner].contains(row.deliveryOwners[group] ?? 0)
            else { return nil }
            messages[seq]?.deliveryOwners[group] = owner
            messages[seq]?.stored.deliveries[place].dueAt = Settlement.Pending.heldDueAt
            var stored = row.stored
            stored.deliveries = [.init(group: group, attempts: row.stored.deliveries[place].attempts, dueAt: 0)]
            return stored
        }
    }

    /// Lets go of the rows of dead owners.
    mutating func release(living: Set<Int64>, now: Timestamp) -> Int {
        var released = 0
        for (seq, row) in messages where row.stored.state == .tracked {
            for (place, delivery) in row.stored.deliveries.enumerated() {
                guard let owner = row.deliveryOwners[delivery.group], owner != 0, !living.contains(owner) else {
                    continue
                }
                messages[seq]?.deliveryOwners[delivery.group] = 0
                messages[seq]?.stored.deliveries[place].dueAt = now
                released += 1
            }
        }
        return released
    }

    /// Moves what is nobody's and expired to the dead letters.
    mutating func buryExpired(now: Timestamp) -> [ExpiredDelivery] {
        var buried: [ExpiredDelivery] = []
        for (seq, row) in messages where row.stored.state == .tracked && row.stored.message.expiresAt <= now {
            for delivery in row.stored.deliveries where (row.deliveryOwners[delivery.group] ?? 0) == 0 {
                bury(
                    row, seq, delivery.group, .expired, attempts: delivery.attempts, row.lastErrors[delivery.group])
                messages[seq]?.stored.deliveries.removeAll { $0.group == delivery.group }
                buried.append(
                    ExpiredDelivery(
                        id: row.stored.message.id, topic: row.stored.message.topic, group: delivery.group))
            }
            removeIfDone(seq)
        }
        return buried
    }

    /// False where the row had changed.
    mutating func reschedule(_ check: TransactionCheck) -> Bool {
        guard let row = messages[check.seq], let transaction = transactions[row.stored.message.id],
            transaction.outcome == .undecided, transaction.nextCheckAt == check.previousCheckAt
        else { return false }
        let (id, now) = (row.stored.message.id, now)
        switch check.action {
        case .next(let at, let checks):
            transactions[id]?.nextCheckAt = at
            transactions[id]?.checks = checks
        case .park:
            transactions[id]?.outcome = .parked
            transactions[id]?.nextCheckAt = now
            bury(row, check.seq, "", .undecided, attempts: transaction.checks)
            remove(check.seq)
        }
        return true
    }

    mutating func purge(decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int) -> Int {
        let old = transactions.filter { _, transaction in
            switch transaction.outcome {
            case .undecided: false
            case .committed, .rolledBack: transaction.nextCheckAt < decidedBefore
            case .parked: transaction.nextCheckAt < deadLettersBefore
            }
        }.prefix(limit)
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
