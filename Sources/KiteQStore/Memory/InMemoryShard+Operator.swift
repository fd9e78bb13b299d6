import KiteQCore
import NIOCore

/// What operators look at in one shard.
extension InMemoryShard {
    func summary(_ seq: Int64, shard: Int) -> MessageSummary? {
        guard let row = messages[seq] else { return nil }
        let message = row.stored.message
        return MessageSummary(
            id: message.id, shard: shard, seq: seq, state: row.stored.state, kind: message.kind, topic: message.topic,
            messageType: message.messageType, publisherGroup: message.publisherGroup, owner: row.owner,
            publishedAt: message.publishedAt, expiresAt: message.expiresAt, deliverLimit: message.deliverLimit)
    }

    func summaries(_ filter: MessageFilter, shard: Int) -> [MessageSummary] {
        messages.keys.compactMap { summary($0, shard: shard) }.filter { message in
            guard filter.matches(message) else { return false }
            return filter.group.map { group in messages[message.seq]?.groups.contains(group) == true } ?? true
        }
    }

    func count(_ state: StoredMessage.State) -> BoundedCount {
        BoundedCount(messages.values.count { $0.stored.state == state })
    }

    // MARK: Groups

    func groupReport(of name: String) -> GroupReport {
        var report = GroupReport(name: name)
        var oldest: Int64?
        for (seq, row) in messages where row.groups.contains(name) {
            oldest = min(oldest ?? .max, seq)
            switch row.delivery(to: name)?.state {
            case nil: report.fresh += BoundedCount(1)
            case .held: report.held += BoundedCount(1)
            case .retrying(let dueAt):
                report.retrying += BoundedCount(1)
                report.nextDueAt = min(report.nextDueAt ?? .max, dueAt)
            default: report.away += BoundedCount(1)
            }
        }
        report.oldestAcceptedAt = oldest.map { SequenceGenerator.timestamp(of: $0) }
        report.deadLetters = BoundedCount(deadLetters.count { $0.group == name })
        return report
    }

    // MARK: One message

    func story(of id: MessageID, shard: Int, names: [Int64: String]) -> MessageStory? {
        let message = seqByID[id].flatMap { summary($0, shard: shard) }
        let row = message.flatMap { messages[$0.seq] }
        let letters = deadLetters.filter { $0.message.id == id }.map { $0.letter(shard: shard) }
        let transaction = transactions[id].map {
            TransactionRecord(
                outcome: $0.outcome, checks: $0.checks, at: $0.nextCheckAt, publisherGroup: $0.publisherGroup,
                connectionGroup: $0.connectionGroup)
        }
        guard message != nil || transaction != nil || !letters.isEmpty else { return nil }
        var deliveries = (row?.groups ?? []).compactMap { group in
            row.map { $0.delivery(to: group) ?? GroupDelivery(group: group, state: .fresh, owner: $0.owner) }
        }
        for place in deliveries.indices { deliveries[place].ownerName = names[deliveries[place].owner] }
        let stored = row?.stored.message ?? deadLetters.last { $0.message.id == id }?.message
        return MessageStory(
            id: id, shard: shard, message: message, content: stored.map { MessageStory.Content($0) },
            groups: GroupDelivery.all(deliveries, letters), transaction: transaction, deadLetters: letters)
    }

    // MARK: Transactions

    func openTransactions(shard: Int) -> [OpenTransaction] {
        transactions.compactMap { id, transaction in
            guard transaction.outcome == .undecided, let row = messages[transaction.seq] else { return nil }
            let message = row.stored.message
            return OpenTransaction(
                messageID: id, shard: shard, seq: transaction.seq, topic: message.topic,
                messageType: message.messageType, publisherGroup: transaction.publisherGroup,
                connectionGroup: transaction.connectionGroup, publishedAt: message.publishedAt,
                expiresAt: message.expiresAt, checks: transaction.checks, nextCheckAt: transaction.nextCheckAt)
        }
    }
}

extension InMemoryShard.Row {
    /// Who is owed it.
    var groups: [String] {
        stored.state == .fresh ? stored.route.members.map(\.group) : stored.deliveries.map(\.group)
    }

    /// Nil where the group has no delivery of its own.
    func delivery(to group: String) -> GroupDelivery? {
        stored.deliveries.first { $0.group == group }.map {
            GroupDelivery(
                group: group, dueAt: $0.dueAt, owner: deliveryOwners[group] ?? 0, attempts: $0.attempts,
                lastError: lastErrors[group])
        }
    }
}

extension InMemoryShard.DeadRow {
    func letter(shard: Int) -> DeadLetter {
        DeadLetter(
            id: DeadLetterID(shard: shard, number: number), seq: seq, messageID: message.id, group: group,
            reason: reason, attempts: attempts, lastError: lastError, diedAt: diedAt, expiresAt: message.expiresAt,
            publishedAt: message.publishedAt, deliverLimit: message.deliverLimit, kind: message.kind,
            topic: message.topic, messageType: message.messageType, publisherGroup: message.publisherGroup)
    }
}

extension MessageStory.Content {
    init(_ message: Message) {
        let body = message.body
        self.init(
            header: message.header,
            body: body.getSlice(at: body.readerIndex, length: min(body.readableBytes, Self.bodyLimit)) ?? body,
            bodySize: body.readableBytes)
    }
}
