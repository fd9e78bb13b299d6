package import KiteQCore
package import Logging
import MariaDB

/// The dead letters of a store, for people: to look at, to give back, to delete. It works beside running brokers, and
/// without any; it is not one of them and owns nothing. The commands and the operators' API share it.
package struct DeadLetterStore: Sendable {
    private let shards: [Shard]
    private let shardMap: ShardMap

    /// Rows that one page reads, of all shards together; and the least that it reads of each.
    private static let pageRows = 2_000
    private static let leastRows = 64
    /// Letters that one message id stands for at most: one for each of its groups.
    private static let maxGroups = 1_000

    /// Runs `body` with the dead letters of a store, connected meanwhile.
    /// - Throws: what `body` throws; `StoreError`, a sentence that says in which shard, where a database cannot be reached or
    ///   its tables are not those of this configuration.
    package static func with<Result: Sendable>(
        _ configuration: MySQLStoreConfiguration, logger: Logger, _ body: (DeadLetterStore) async throws -> Result
    ) async throws -> Result {
        let shards = configuration.shards.indices.map {
            Shard(number: $0, configuration: configuration, logger: logger)
        }
        let store = DeadLetterStore(shards, ShardMap(shards: shards.count))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            for shard in shards { tasks.addTask { await shard.operatorPool.run() } }
            defer { tasks.cancelAll() }
            for shard in shards { try await shard.checkSlots(store.shardMap) }
            return try await body(store)
        }
    }

    init(_ shards: [Shard], _ shardMap: ShardMap) {
        self.shards = shards
        self.shardMap = shardMap
    }

    /// Unix milliseconds by the first shard's clock, which ages are counted from.
    package func now() async throws -> Timestamp { try await shards[0].serverTime() }

    // MARK: Reading

    /// Dead letters of all shards, oldest first.
    ///
    /// One call reads a bounded number of rows of each shard by an index. Where the filter asks for more than the index says, a
    /// page may be short or empty and not be the last: `next` tells.
    /// - Parameters:
    ///   - cursor: `next` of the page before; nil: from the oldest on.
    ///   - limit: letters of a page, at least one.
    /// - Throws: `StoreError`, also where one shard of several does not answer.
    package func list(
        _ filter: DeadLetterFilter, after cursor: DeadLetterCursor? = nil, limit: Int
    ) async throws -> DeadLetterPage {
        let page = try await self.page(filter, after: cursor, limit: limit)
        if let failure = page.failures.first { throw StoreError(.unavailable, failure.reason) }
        return page
    }

    /// As ``list(_:after:limit:)``, without the shards that do not answer: the page names them.
    func page(
        _ filter: DeadLetterFilter, after cursor: DeadLetterCursor?, limit: Int
    ) async throws -> DeadLetterPage {
        precondition(limit > 0, "a page has at least one letter")
        let cursor = cursor ?? DeadLetterCursor(shards: shards.count)
        try shards.checkCursor(cursor.positions.count)
        let share = max(Self.leastRows, Self.pageRows / shards.count)
        let rows = filter.isAnsweredByRange ? min(limit, share) : share
        let (streams, failures) = await shards.gather { shard in
            try await shard.deadLetters(filter, after: cursor.positions[shard.number], limit: rows)
        }
        var page = DeadLetterPage(
            streams.map { $0 ?? [] }, rows: rows, after: cursor, limit: limit, where: filter.matches)
        page.failures = failures
        return page
    }

    /// Nil where there is none.
    package func letter(_ id: DeadLetterID) async throws -> DeadLetter? {
        try await shard(of: id)?.deadLetter(id.number)
    }

    /// The letters of a message, one for each group that did not get it.
    package func letters(of message: MessageID) async throws -> [DeadLetter] {
        try await shards[shardMap.shard(of: message)].deadLetters(of: message, limit: Self.maxGroups)
    }

    /// The bytes of a letter; nil where it is gone.
    package func content(of id: DeadLetterID) async throws -> DeadLetter.Content? {
        try await shard(of: id)?.contentOfDeadLetter(id.number)
    }

    // MARK: Changing

    /// Gives a letter's message back to its group, and to it alone, with all its attempts; an undecided half message is
    /// committed by this, and goes to the groups that are bound now.
    ///
    /// One transaction: the message row comes back with its seq, or stays where another group still waits for it; the group
    /// gets a delivery row that is due and nobody's; the letter is gone. Safe to repeat: a second time finds no letter.
    /// - Parameters:
    ///   - lifetime: how long the message lives from now; nil: as long as at first, an hour at least.
    ///   - groups: for an undecided one, and one whose groups are not known: who gets it, in place of the groups that are bound.
    package func requeue(
        _ id: DeadLetterID, lifetime: Duration? = nil, to groups: [String] = []
    ) async throws -> RequeueOutcome {
        guard let shard = shard(of: id), let letter = try await shard.deadLetter(id.number) else { return .notFound }
        let receivers: [String]
        if letter.reason == .undecided || letter.group.isEmpty {
            receivers =
                groups.isEmpty ? try await boundGroups(letter.topic, letter.messageType) : Array(Set(groups)).sorted()
            guard !receivers.isEmpty else {
                return .refused(
                    "no group is known to be bound to \(letter.topic)/\(letter.messageType); name those that are to get it"
                )
            }
        } else {
            guard groups.isEmpty else {
                return .refused(
                    "it is for \(letter.group) alone: other groups got the message, or have a letter of their own")
            }
            receivers = [letter.group]
        }
        let milliseconds = lifetime.map { Timestamp($0 / .milliseconds(1)) }
        return try await shard.requeue(id.number, to: receivers, lifetime: milliseconds)
    }

    /// Deletes letters; an undecided half message is rolled back by this. In transactions of a bounded size: where it throws,
    /// some may be deleted.
    /// - Returns: those that were there.
    package func delete(_ ids: [DeadLetterID]) async throws -> Set<DeadLetterID> {
        var deleted: Set<DeadLetterID> = []
        for (number, part) in Dictionary(grouping: ids, by: \.shard).sorted(by: { $0.key < $1.key }) {
            guard shards.indices.contains(number) else { continue }
            for id in try await shards[number].deleteDeadLetters(part.map(\.number)) {
                deleted.insert(DeadLetterID(shard: number, number: id))
            }
        }
        return deleted
    }

    private func shard(of id: DeadLetterID) -> Shard? {
        shards.indices.contains(id.shard) ? shards[id.shard] : nil
    }

    /// As the brokers last saved the bindings, in the first shard.
    func boundGroups(_ topic: String, _ messageType: String) async throws -> [String] {
        let bindings = try await shards[0].savedBindings(topics: [topic], on: shards[0].operatorPool) ?? []
        return BindingTable(bindings).groupsIfAllCount(topic: topic, messageType: messageType).map(\.group)
    }
}
