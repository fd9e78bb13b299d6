import KiteQCore
import KiteQStore

/// A store in memory whose answers to operators are as a test needs them.
final class TroubledStore: OperatorStore {
    struct Trouble: Sendable {
        /// What a look at one message throws.
        var story: StoreError?
        /// Dead letters that cannot be reached. Where there are such, all others are there.
        var awayLetters: Set<DeadLetterID> = []
        /// Undecided half messages of the first shard, in place of the store's.
        var transactions: [OpenTransaction]?
        /// Shards whose half messages are missing.
        var failures: [ShardFailure] = []
    }

    private let base: InMemoryMessageStore
    private let trouble: Trouble

    init(_ base: InMemoryMessageStore, _ trouble: Trouble) {
        self.base = base
        self.trouble = trouble
    }

    func story(of id: MessageID) async throws -> MessageStory? {
        if let error = trouble.story { throw error }
        return try await base.story(of: id)
    }

    func openTransactions(after cursor: TransactionCursor?, limit: Int) async throws -> TransactionPage {
        var page: TransactionPage
        if let transactions = trouble.transactions {
            let first = transactions.sorted { ($0.nextCheckAt, $0.seq) < ($1.nextCheckAt, $1.seq) }.prefix(limit)
            page = TransactionPage([Array(first)], after: cursor ?? TransactionCursor(shards: 2), limit: limit)
        } else {
            page = try await base.openTransactions(after: cursor, limit: limit)
        }
        page.failures = trouble.failures
        return page
    }

    func lastOpenTransactions(limit: Int) async -> (transactions: [OpenTransaction], failures: [ShardFailure]) {
        if let transactions = trouble.transactions { return (transactions.askedLast(limit), trouble.failures) }
        return (await base.lastOpenTransactions(limit: limit).transactions, trouble.failures)
    }

    private func reach(_ letters: [DeadLetterID]) throws {
        if !trouble.awayLetters.isDisjoint(with: letters) { throw StoreError(.unavailable, "it is away") }
    }

    func requeueDeadLetter(
        _ id: DeadLetterID, lifetime: Duration?, to groups: [String]
    ) async throws -> RequeueOutcome {
        try reach([id])
        if !trouble.awayLetters.isEmpty { return .requeued(groups: ["a"]) }
        return try await base.requeueDeadLetter(id, lifetime: lifetime, to: groups)
    }

    func deleteDeadLetters(_ ids: [DeadLetterID]) async throws -> Set<DeadLetterID> {
        try reach(ids)
        return trouble.awayLetters.isEmpty ? try await base.deleteDeadLetters(ids) : Set(ids)
    }

    // MARK: The rest as it is

    var shardMap: ShardMap { base.shardMap }
    func brokers() async -> BrokerListing { await base.brokers() }
    func shardReports() async -> [ShardReport] { await base.shardReports() }
    func groupReport(of name: String) async -> (report: GroupReport, failures: [ShardFailure]) {
        await base.groupReport(of: name)
    }
    func groupReports(after name: String?, limit: Int) async -> GroupListing {
        await base.groupReports(after: name, limit: limit)
    }
    func groupReports(of names: [String]) async -> (reports: [GroupReport], failures: [ShardFailure]) {
        await base.groupReports(of: names)
    }
    func topicCounts() async -> TopicCounts { await base.topicCounts() }
    func messages(
        _ filter: MessageFilter, after cursor: MessageCursor, limit: Int
    ) async throws -> MessagePage { try await base.messages(filter, after: cursor, limit: limit) }
    func decide(
        _ id: MessageID, _ answer: TransactionDecision.Answer, to groups: [String],
        route: @escaping @Sendable (_ topic: String, _ messageType: String) -> Route?
    ) async throws -> TransactionResolution { try await base.decide(id, answer, to: groups, route: route) }
    func deadLetters(
        _ filter: DeadLetterFilter, after cursor: DeadLetterCursor?, limit: Int
    ) async throws -> DeadLetterPage { try await base.deadLetters(filter, after: cursor, limit: limit) }
    func deadLetterCount(_ filter: DeadLetterFilter) async -> (count: BoundedCount, failures: [ShardFailure]) {
        await base.deadLetterCount(filter)
    }
    func deadLetter(_ id: DeadLetterID) async throws -> DeadLetter? { try await base.deadLetter(id) }
    func deadLetterContent(_ id: DeadLetterID) async throws -> DeadLetter.Content? {
        try await base.deadLetterContent(id)
    }
    func pause(_ group: String, by person: String, reason: String) async throws -> Bool {
        try await base.pause(group, by: person, reason: reason)
    }
    func resume(_ group: String) async throws -> Bool { try await base.resume(group) }
    func groupPauses() async throws -> [GroupPause] { try await base.groupPauses() }
    func topicSeries(
        of topics: [String]?, from: Timestamp, before: Timestamp, step: Timestamp
    ) async throws -> TopicSeries {
        try await base.topicSeries(of: topics, from: from, before: before, step: step)
    }
    func appendAudit(_ entry: AuditEntry) async throws -> Int64 { try await base.appendAudit(entry) }
    func auditEntries(before id: Int64?, limit: Int) async throws -> [AuditEntry] {
        try await base.auditEntries(before: id, limit: limit)
    }
}
