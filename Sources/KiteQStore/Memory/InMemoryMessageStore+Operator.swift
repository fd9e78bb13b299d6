package import KiteQCore

extension InMemoryMessageStore {
    package func pausedGroups() async throws -> Set<String> { data.withOperators { Set($0.pauses.keys) } }

    package func undecidedByGroup(shard: Int, upTo limit: Int) async throws -> [String: Int] {
        let groups = data.withShard(shard) { rows in
            rows.transactions.values.filter { $0.outcome == .undecided }.map(\.connectionGroup)
        }
        return Dictionary(groups.prefix(limit).map { ($0, 1) }, uniquingKeysWith: +)
    }

    package func waiting(for group: String, shard: Int, upTo limit: Int) async throws -> Int {
        min(limit, data.withShard(shard) { $0.groupReport(of: group).waiting.value })
    }

    package func addSamples(_ samples: [TopicSample]) async throws { data.withOperators { $0.add(samples) } }
}

extension InMemoryMessageStore: OperatorStore {
    private func each<Part: Sendable>(_ body: (Int, inout InMemoryShard) -> Part) -> [Part] {
        (0..<data.shardCount).map { shard in data.withShard(shard) { body(shard, &$0) } }
    }

    private func checkCursor(_ positions: Int) throws {
        guard positions == data.shardCount else {
            throw StoreError(
                .failed, "the cursor is of a store with \(positions) shards, this one has \(data.shardCount)")
        }
    }

    // MARK: Brokers and shards

    package func brokers() async -> BrokerListing {
        let presence = data.presence
        let shards = 0..<data.shardCount
        let lives = data.lives.map { number, life in
            BrokerLife(
                number: number, name: life.broker.name, address: life.broker.address, joinedAt: life.joinedAt,
                leases: shards.map {
                    .init(shard: $0, state: life.state, remaining: life.state == .alive ? 10_000 : 0)
                },
                groups: presence[number]?.sorted() ?? [])
        }
        return BrokerListing([lives], failures: [])
    }

    package func shardReports() async -> [ShardReport] {
        each { shard, rows in
            ShardReport(
                shard: shard, database: "memory",
                pool: .init(open: 0, idle: 0, waiting: 0, limit: 0, failedConnects: 0),
                contents: .init(
                    answerTime: .zero, product: "memory", version: "-", serverTime: data.now, tables: [],
                    half: rows.count(.half), fresh: rows.count(.fresh), tracked: rows.count(.tracked),
                    deadLetters: BoundedCount(rows.deadLetters.count),
                    oldestAcceptedAt: rows.messages.keys.min().map { SequenceGenerator.timestamp(of: $0) },
                    historyListLength: nil))
        }
    }

    // MARK: Groups and topics

    package func groupReport(of name: String) async -> (report: GroupReport, failures: [ShardFailure]) {
        (report(of: name), [])
    }

    private func report(of name: String) -> GroupReport {
        var report = each { _, rows in rows.groupReport(of: name) }.reduce(GroupReport(name: name)) {
            $0.merged(with: $1)
        }
        report.connectedTo = data.presence.filter { $0.value.contains(name) }.map(\.key).sorted()
        report.pause = data.withOperators { $0.pauses[name] }
        return report
    }

    package func groupReports(after name: String?, limit: Int) async -> GroupListing {
        let name = name ?? ""
        let owed = each { _, rows in Set(rows.messages.values.flatMap(\.groups)) }.joined()
        let names = Set(owed).union(data.presence.values.joined()).filter {
            name.utf8.lexicographicallyPrecedes($0.utf8)
        }
        let pauses = data.withOperators { Array($0.pauses.values) }
            .filter { name.utf8.lexicographicallyPrecedes($0.group.utf8) }
        let all = names.union(pauses.map(\.group)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let limit = min(max(1, limit), 1_000)
        let page = all.prefix(limit).map(report)
        return GroupListing(groups: page, next: all.count > limit ? page.last?.name : nil)
    }

    package func groupReports(of names: [String]) async -> (reports: [GroupReport], failures: [ShardFailure]) {
        (names.map(report), [])
    }

    package func topicCounts() async -> TopicCounts {
        let parts = each { shard, rows in
            let counts = rows.messages.values.map {
                TopicCounts.Count(topic: $0.stored.message.topic, state: $0.stored.state, messages: 1)
            }
            return TopicCounts(counts: counts, isExact: true, looked: counts.count)
        }
        return TopicCounts(parts, failures: [])
    }

    // MARK: Messages

    package func story(of id: MessageID) async throws -> MessageStory? {
        let shard = shardMap.shard(of: id)
        let names = data.lives.mapValues(\.broker.name)
        return data.withShard(shard) { $0.story(of: id, shard: shard, names: names) }
    }

    package func messages(
        _ filter: MessageFilter, after cursor: MessageCursor, limit: Int
    ) async throws -> MessagePage {
        try checkCursor(cursor.positions.count)
        let isUp = cursor.order == .oldestFirst
        let streams = each { shard, rows in
            let position = cursor.positions[shard]
            let found = rows.summaries(filter, shard: shard).filter { isUp ? $0.seq > position : $0.seq < position }
            return MessagePage.Stream(messages: found.sorted { isUp ? $0.seq < $1.seq : $0.seq > $1.seq }, reached: nil)
        }
        return MessagePage(streams, after: cursor, limit: min(max(1, limit), 500))
    }

    // MARK: Transactions

    package func openTransactions(after cursor: TransactionCursor?, limit: Int) async throws -> TransactionPage {
        let cursor = cursor ?? TransactionCursor(shards: data.shardCount)
        try checkCursor(cursor.places.count)
        let limit = min(max(1, limit), 1_000)
        let streams = each { shard, rows in
            let place = cursor.places[shard]
            let open = rows.openTransactions(shard: shard).filter {
                ($0.nextCheckAt, $0.seq) > (place.nextCheckAt, place.seq)
            }
            return Array(open.sorted { ($0.nextCheckAt, $0.seq) < ($1.nextCheckAt, $1.seq) }.prefix(limit))
        }
        return TransactionPage(streams, after: cursor, limit: limit)
    }

    package func lastOpenTransactions(
        limit: Int
    ) async -> (transactions: [OpenTransaction], failures: [ShardFailure]) {
        let streams = each { shard, rows in rows.openTransactions(shard: shard) }
        return (streams.joined().askedLast(min(max(1, limit), 1_000)), [])
    }

    package func decide(
        _ id: MessageID, _ answer: TransactionDecision.Answer, to groups: [String],
        route: @escaping @Sendable (_ topic: String, _ messageType: String) -> Route?
    ) async throws -> TransactionResolution {
        let (groups, now) = (Set(groups).sorted(), data.now)
        let data = self.data
        let known: @Sendable (String, String) -> Route? = { topic, messageType in
            if let route = route(topic, messageType) { return route }
            let saved = BindingTable(data.savedBindings(topics: [topic]) ?? [])
                .groupsIfAllCount(topic: topic, messageType: messageType)
            return saved.isEmpty ? nil : Route(saved.map { .init(group: $0.group, persistent: true) })
        }
        return data.withShard(shardMap.shard(of: id)) { rows in
            guard let resolution = rows.resolve(id, answer, to: groups, now: now, route: known) else {
                return .refused("this broker does not know the bindings of its topic: ask a broker that serves it")
            }
            switch resolution {
            case .unknown, .alreadyDecided(.parked): break
            default: return resolution
            }
            guard let letter = rows.deadLetters.first(where: { $0.message.id == id && $0.reason == .undecided }) else {
                return resolution
            }
            if answer == .rollBack {
                _ = rows.deleteDeadLetters([letter.number], now: now)
                return .rolledBack
            }
            let message = letter.message
            let receivers =
                groups.isEmpty ? known(message.topic, message.messageType)?.members.map(\.group) ?? [] : groups
            guard !receivers.isEmpty else { return .refused("no group is bound to it; name those that are to get it") }
            switch rows.requeue(letter.number, to: receivers, lifetime: nil, now: now) {
            case .requeued(let groups): return .committed(groups: groups)
            case .notFound: return resolution
            case .refused(let reason): return .refused(reason)
            }
        }
    }
}
