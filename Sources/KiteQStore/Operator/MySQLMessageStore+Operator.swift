package import KiteQCore

extension MySQLMessageStore {
    // MARK: For the broker

    package func pausedGroups() async throws -> Set<String> { try await shards[0].pausedGroups() }

    package func undecidedByGroup(shard: Int, upTo limit: Int) async throws -> [String: Int] {
        try await shards[shard].undecidedByGroup(upTo: limit)
    }

    package func waiting(for group: String, shard: Int, upTo limit: Int) async throws -> Int {
        try await shards[shard].waiting(for: group, upTo: limit)
    }

    package func addSamples(_ samples: [TopicSample]) async throws { try await shards[0].addSamples(samples) }
}

extension MySQLMessageStore: OperatorStore {
    // MARK: Brokers and shards

    package func brokers() async -> BrokerListing {
        let (lives, failures) = await shards.gather { try await $0.lives() }
        return BrokerListing(lives.compactMap { $0 }, failures: failures)
    }

    package func shardReports() async -> [ShardReport] {
        let (contents, failures) = await shards.gather { try await $0.contents() }
        return shards.map { shard in
            var report = shard.report(limit: configuration.connectionsPerShard)
            report.contents = contents[shard.number]
            report.failure = failures.first { $0.shard == shard.number }?.reason
            return report
        }
    }

    // MARK: Groups and topics

    package func groupReport(of name: String) async -> (report: GroupReport, failures: [ShardFailure]) {
        var (reports, failures) = await shards.gather { shard in
            var report = try await shard.groupReport(of: name)
            if shard.number == 0 { report.pause = try await shard.groupPause(name) }
            return report
        }
        failures.sort { $0.shard < $1.shard }
        return (reports.compactMap { $0 }.reduce(GroupReport(name: name)) { $0.merged(with: $1) }, failures)
    }

    package func groupReports(after name: String?, limit: Int) async -> GroupListing {
        let (name, limit) = (name ?? "", min(max(1, limit), 1_000))
        let (pages, failures) = await shards.gather { shard in
            let reports = try await shard.groupReports(after: name, limit: limit)
            return (reports: reports, pauses: shard.number == 0 ? try await shard.groupPauses() : [])
        }
        let pauses = pages.compactMap { $0?.pauses }.joined()
            .filter { name.utf8.lexicographicallyPrecedes($0.group.utf8) }
        return GroupListing(pages.map { $0?.reports }, pauses: pauses, limit: limit, failures: failures)
    }

    package func groupReports(of names: [String]) async -> (reports: [GroupReport], failures: [ShardFailure]) {
        let (parts, failures) = await shards.gather { shard in
            let reports = try await shard.groupReports(of: names)
            return (reports: reports, pauses: shard.number == 0 ? try await shard.groupPauses() : [])
        }
        var byName = Dictionary(
            names.map { (BindingName($0), GroupReport(name: $0)) }, uniquingKeysWith: { first, _ in first })
        for report in parts.compactMap({ $0?.reports }).joined() {
            byName[BindingName(report.name)] = byName[BindingName(report.name)]?.merged(with: report)
        }
        for pause in parts.compactMap({ $0?.pauses }).joined() { byName[BindingName(pause.group)]?.pause = pause }
        return (Array(byName.values), failures.sorted { $0.shard < $1.shard })
    }

    package func topicCounts() async -> TopicCounts {
        let (counts, failures) = await shards.gather { try await $0.topicCounts() }
        return TopicCounts(counts.compactMap { $0 }, failures: failures)
    }

    // MARK: Messages

    package func story(of id: MessageID) async throws -> MessageStory? { try await shard(of: id).story(of: id) }

    package func messages(
        _ filter: MessageFilter, after cursor: MessageCursor, limit: Int
    ) async throws -> MessagePage {
        try shards.checkCursor(cursor.positions.count)
        let limit = min(max(1, limit), 500)
        // Entries of all shards together that one page looks at; and the least of each.
        let share = max(64, 2_000 / shards.count)
        let rows = filter.isAnsweredByRange ? min(limit + 1, share) : share
        let (streams, failures) = await shards.gather { shard in
            try await shard.messages(filter, cursor.order, after: cursor.positions[shard.number], rows: rows)
        }
        var page = MessagePage(streams, after: cursor, limit: limit)
        page.failures = failures
        return page
    }

    // MARK: Transactions

    package func openTransactions(after cursor: TransactionCursor?, limit: Int) async throws -> TransactionPage {
        let cursor = cursor ?? TransactionCursor(shards: shards.count)
        try shards.checkCursor(cursor.places.count)
        let limit = min(max(1, limit), 1_000)
        let (streams, failures) = await shards.gather { shard in
            try await shard.openTransactions(after: cursor.places[shard.number], limit: limit)
        }
        var page = TransactionPage(streams, after: cursor, limit: limit)
        page.failures = failures
        return page
    }

    package func lastOpenTransactions(
        limit: Int
    ) async -> (transactions: [OpenTransaction], failures: [ShardFailure]) {
        let limit = min(max(1, limit), 1_000)
        let (streams, failures) = await shards.gather { try await $0.lastOpenTransactions(limit: limit) }
        return (streams.compactMap { $0 }.joined().askedLast(limit), failures)
    }

    package func decide(
        _ id: MessageID, _ answer: TransactionDecision.Answer, to groups: [String],
        route: @escaping @Sendable (_ topic: String, _ messageType: String) -> Route?
    ) async throws -> TransactionResolution {
        let groups = Set(groups).sorted()
        let resolution: TransactionResolution
        do {
            resolution = try await shard(of: id).resolve(id, answer, to: groups, route: route)
        } catch let unknown as Shard.UnknownTopic {
            let saved = try await letters.boundGroups(unknown.topic, unknown.messageType)
            guard !saved.isEmpty else { return .refused(Self.unknownTopic(unknown.topic)) }
            resolution = try await shard(of: id).resolve(id, answer, to: saved, route: route)
        }
        switch resolution {
        case .unknown, .alreadyDecided(.parked): break
        default: return resolution
        }
        // It is parked, or was and `kite_transaction` has forgotten it: its dead letter is what there is to decide.
        guard let letter = try await letters.letters(of: id).first(where: { $0.reason == .undecided }) else {
            return resolution
        }
        switch answer {
        case .rollBack:
            return try await letters.delete([letter.id]).isEmpty ? resolution : .rolledBack
        case .commit:
            var receivers = groups
            if receivers.isEmpty, let bound = route(letter.topic, letter.messageType) {
                receivers = bound.members.map(\.group)
                guard !receivers.isEmpty else {
                    return .refused("no group is bound to it; name those that are to get it")
                }
            }
            // None: those that were last saved.
            switch try await letters.requeue(letter.id, to: receivers) {
            case .requeued(let groups): return .committed(groups: groups)
            case .notFound: return try await shard(of: id).outcome(of: id).map { .alreadyDecided($0) } ?? .unknown
            case .refused(let reason): return .refused(reason)
            }
        }
    }

    static func unknownTopic(_ topic: String) -> String {
        "this broker does not know the bindings of topic \(topic), and none are saved: ask a broker that serves it"
    }

    private func shard(of id: MessageID) -> Shard { shards[shardMap.shard(of: id)] }
}
