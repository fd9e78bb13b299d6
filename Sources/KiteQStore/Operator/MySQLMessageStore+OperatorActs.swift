package import KiteQCore

/// Dead letters, and what lies in the first shard.
extension MySQLMessageStore {
    var letters: DeadLetterStore { DeadLetterStore(shards, shardMap) }

    // MARK: Dead letters

    package func deadLetters(
        _ filter: DeadLetterFilter, after cursor: DeadLetterCursor?, limit: Int
    ) async throws -> DeadLetterPage {
        try await letters.page(filter, after: cursor, limit: min(max(1, limit), 1_000))
    }

    package func deadLetterCount(
        _ filter: DeadLetterFilter
    ) async -> (count: BoundedCount, failures: [ShardFailure]) {
        let (counts, failures) = await shards.gather { try await $0.deadLetterCount(filter) }
        return (counts.compactMap { $0 }.reduce(.zero, +), failures)
    }

    package func deadLetter(_ id: DeadLetterID) async throws -> DeadLetter? { try await letters.letter(id) }

    package func deadLetterContent(_ id: DeadLetterID) async throws -> DeadLetter.Content? {
        try await letters.content(of: id)
    }

    package func requeueDeadLetter(
        _ id: DeadLetterID, lifetime: Duration?, to groups: [String]
    ) async throws -> RequeueOutcome {
        try await letters.requeue(id, lifetime: lifetime, to: groups)
    }

    package func deleteDeadLetters(_ ids: [DeadLetterID]) async throws -> Set<DeadLetterID> {
        try await letters.delete(ids)
    }

    // MARK: Paused groups

    package func pause(_ group: String, by person: String, reason: String) async throws -> Bool {
        try await shards[0].pause(group, by: person, reason: reason)
    }

    package func resume(_ group: String) async throws -> Bool { try await shards[0].resume(group) }

    package func groupPauses() async throws -> [GroupPause] { try await shards[0].groupPauses() }

    // MARK: Samples

    package func topicSeries(
        of topics: [String]?, from: Timestamp, before: Timestamp, step: Timestamp
    ) async throws -> TopicSeries {
        try TopicSeries.check(from: from, before: before, step: step)
        return try await shards[0].topicSeries(of: topics, from: from, before: before, step: step)
    }

    // MARK: Audit log

    package func appendAudit(_ entry: AuditEntry) async throws -> Int64 { try await shards[0].appendAudit(entry) }

    package func auditEntries(before id: Int64?, limit: Int) async throws -> [AuditEntry] {
        try await shards[0].auditEntries(before: id, limit: min(max(1, limit), 1_000))
    }
}
