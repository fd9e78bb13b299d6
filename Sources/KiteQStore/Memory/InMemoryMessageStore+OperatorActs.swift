package import KiteQCore

/// Dead letters, and what the SQL store has in its first shard.
extension InMemoryMessageStore {
    // MARK: Dead letters

    private var letters: [[DeadLetter]] {
        (0..<data.shardCount).map { shard in
            data.withShard(shard) { rows in rows.deadLetters.map { $0.letter(shard: shard) } }
        }
    }

    package func deadLetters(
        _ filter: DeadLetterFilter, after cursor: DeadLetterCursor?, limit: Int
    ) async throws -> DeadLetterPage {
        let cursor = cursor ?? DeadLetterCursor(shards: data.shardCount)
        guard cursor.positions.count == data.shardCount else {
            throw StoreError(
                .failed,
                "the cursor is of a store with \(cursor.positions.count) shards, this one has \(data.shardCount)")
        }
        let streams = letters.enumerated().map { shard, letters in
            let position = cursor.positions[shard]
            return letters.filter { ($0.diedAt, $0.id.number) > (position.diedAt, position.number) }
                .sorted { ($0.diedAt, $0.id.number) < ($1.diedAt, $1.id.number) }
        }
        return DeadLetterPage(
            streams, rows: .max, after: cursor, limit: min(max(1, limit), 1_000), where: filter.matches)
    }

    package func deadLetterCount(
        _ filter: DeadLetterFilter
    ) async -> (count: BoundedCount, failures: [ShardFailure]) {
        (BoundedCount(letters.joined().count(where: filter.matches)), [])
    }

    private func found(_ id: DeadLetterID) -> InMemoryShard.DeadRow? {
        guard (0..<data.shardCount).contains(id.shard) else { return nil }
        return data.withShard(id.shard) { rows in rows.deadLetters.first { $0.number == id.number } }
    }

    package func deadLetter(_ id: DeadLetterID) async throws -> DeadLetter? { found(id)?.letter(shard: id.shard) }

    package func deadLetterContent(_ id: DeadLetterID) async throws -> DeadLetter.Content? {
        found(id).map { .init(header: $0.message.header, body: $0.message.body, extra: $0.message.extra) }
    }

    package func requeueDeadLetter(
        _ id: DeadLetterID, lifetime: Duration?, to groups: [String]
    ) async throws -> RequeueOutcome {
        guard let dead = found(id) else { return .notFound }
        let message = dead.message
        var receivers = [dead.group]
        if dead.reason == .undecided {
            let bindings = data.savedBindings(topics: [message.topic]) ?? []
            let bound = BindingTable(bindings).groupsIfAllCount(
                topic: message.topic, messageType: message.messageType)
            receivers = groups.isEmpty ? bound.map(\.group) : Set(groups).sorted()
        } else if !groups.isEmpty {
            return .refused(
                "it is for \(dead.group) alone: other groups got the message, or have a letter of their own")
        }
        guard !receivers.isEmpty else {
            return .refused(
                "no group is known to be bound to \(message.topic)/\(message.messageType); name those that are to get it"
            )
        }
        let milliseconds = lifetime.map { Timestamp($0 / .milliseconds(1)) }
        return data.withShard(id.shard) { rows in
            rows.requeue(id.number, to: receivers, lifetime: milliseconds, now: data.now)
        }
    }

    package func deleteDeadLetters(_ ids: [DeadLetterID]) async throws -> Set<DeadLetterID> {
        var deleted: Set<DeadLetterID> = []
        for (shard, part) in Dictionary(grouping: ids, by: \.shard) where (0..<data.shardCount).contains(shard) {
            let numbers = data.withShard(shard) { $0.deleteDeadLetters(Set(part.map(\.number)), now: data.now) }
            deleted.formUnion(numbers.map { DeadLetterID(shard: shard, number: $0) })
        }
        return deleted
    }

    // MARK: Paused groups

    package func pause(_ group: String, by person: String, reason: String) async throws -> Bool {
        data.withOperators { operators in
            guard operators.pauses[group] == nil else { return false }
            operators.pauses[group] = GroupPause(
                group: group, pausedAt: data.now, pausedBy: person, reason: reason)
            return true
        }
    }

    package func resume(_ group: String) async throws -> Bool {
        data.withOperators { $0.pauses.removeValue(forKey: group) != nil }
    }

    package func groupPauses() async throws -> [GroupPause] {
        data.withOperators { $0.pauses.values.sorted { $0.group.utf8.lexicographicallyPrecedes($1.group.utf8) } }
    }

    // MARK: Samples

    package func topicSeries(
        of topics: [String]?, from: Timestamp, before: Timestamp, step: Timestamp
    ) async throws -> TopicSeries {
        try TopicSeries.check(from: from, before: before, step: step)
        return data.withOperators { $0.series(of: topics, from: from, before: before, step: step) }
    }

    // MARK: Audit log

    package func appendAudit(_ entry: AuditEntry) async throws -> Int64 {
        data.withOperators { $0.append(entry, now: data.now) }
    }

    package func auditEntries(before id: Int64?, limit: Int) async throws -> [AuditEntry] {
        data.withOperators { $0.audit(before: id, limit: min(max(1, limit), 1_000)) }
    }
}
