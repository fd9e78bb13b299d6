import KiteQCore
import MariaDB

/// Commits and roll backs: the first final answer wins.
extension Shard {
    func decide(
        _ batch: [TransactionDecision], route: @escaping @Sendable (String, String) -> Route
    ) async throws -> [TransactionDecision.Outcome] {
        // Routes are written before the transaction that refers to them; which ones is known once the topics were read.
        var routes: [Int64: Route] = [:]
        while true {
            let known = routes
            let result: Attempt
            do {
                result = try await run(retryingLockWaits: batch.count == 1) { [self] connection in
                    try connection.transaction { try decide(batch, known: known, route: route, on: connection) }
                }
            } catch let error as StoreError {
                if batch.count > 1, let cause = error.underlying as? MariaDBError,
                    cause.isLockWaitTimeout || cause.mayPassInParts && !cause.isDiskFull
                {
                    return try await decideHalves(batch, route: route)
                }
                // What it committed, if anything, is in the store alone: the groups have to read it from there.
                if error.isOutcomeUnknown, let thread = (error.underlying as? MariaDBError)?.thread {
                    suspect(thread, from: 1)
                }
                throw error
            }
            switch result {
            case .done(let outcomes): return outcomes
            case .needs(let missing):
                try await ensureRoutes(missing)
                for route in missing { routes[route.id] = route }
            }
        }
    }

    /// One row that somebody has locked, or one that is too large, must not hold up the answers to the others.
    private func decideHalves(
        _ batch: [TransactionDecision], route: @escaping @Sendable (String, String) -> Route
    ) async throws -> [TransactionDecision.Outcome] {
        let half = batch.count / 2
        let first = try await decide(Array(batch[..<half]), route: route)
        do {
            return first + (try await decide(Array(batch[half...]), route: route))
        } catch var error as StoreError {
            // Some of the batch is done.
            error.isOutcomeUnknown = true
            throw error
        }
    }

    private enum Attempt: Sendable {
        case done([TransactionDecision.Outcome])
        case needs([Route])
    }

    private struct Half {
        var seq: Int64
        var publisherGroup: String
        var connectionGroup: String
        var outcome: TransactionOutcome
    }

    private func decide(
        _ batch: [TransactionDecision], known: [Int64: Route], route: (String, String) -> Route,
        on connection: isolated MariaDBConnection
    ) throws -> Attempt {
        var halves: [MessageID: Half] = [:]
        try connection.query(SQL.lockTransactions, list: Array(Set(batch.map(\.messageID)).sorted().map(\.value))) {
            row in
            halves[try row.id(1)] = Half(
                seq: try row.int(0), publisherGroup: try row.text(2), connectionGroup: try row.text(3),
                outcome: UInt8(exactly: try row.int(4)).flatMap { TransactionOutcome(rawValue: $0) } ?? .undecided)
        }
        let first = firstAnswers(batch, halves)
        var destinations: [Int64: Route] = [:]
        try connection.query(SQL.lockHalfMessages, list: first.keys.sorted().map { .int($0) }) { row in
            destinations[try row.int(0)] = route(try row.text(1), try row.text(2))
        }
        let committed = destinations.filter { first[$0.key] == .commit }
        let missing = committed.values.filter {
            !$0.members.isEmpty && known[$0.id] == nil && knownRoute($0.id) == nil
        }
        if !missing.isEmpty { return .needs(Array(missing)) }

        try write(first, committed, on: connection)
        CrashPoint.reached(.deciding)
        let wanted = Set(batch.filter(\.needsContent).map(\.messageID))
        let contents = try contents(
            halves.filter { wanted.contains($0.key) && !(committed[$0.value.seq]?.members.isEmpty ?? true) }
                .map(\.value.seq), on: connection)
        return .done(outcomes(batch, halves, destinations: destinations, contents: contents))
    }

    /// The answers that count, by seq.
    private func firstAnswers(
        _ batch: [TransactionDecision], _ halves: [MessageID: Half]
    ) -> [Int64: TransactionDecision.Answer] {
        var first: [Int64: TransactionDecision.Answer] = [:]
        for decision in batch {
            guard let half = halves[decision.messageID], half.outcome == .undecided,
                [half.publisherGroup, half.connectionGroup].contains(decision.connectionGroup), first[half.seq] == nil
            else { continue }
            first[half.seq] = decision.answer
        }
        return first
    }

    private func write(
        _ first: [Int64: TransactionDecision.Answer], _ committed: [Int64: Route],
        on connection: isolated MariaDBConnection
    ) throws {
        let byRoute = Dictionary(grouping: committed.filter { !$0.value.members.isEmpty }, by: \.value.id)
        for (route, messages) in byRoute.sorted(by: { $0.key < $1.key }) {
            try connection.execute(
                SQL.commitMessages, list: messages.map(\.key).sorted().map { .int($0) },
                before: [.int(route), .int(incarnation)])
        }
        let gone = first.keys.filter { first[$0] == .rollBack || committed[$0]?.members.isEmpty == true }.sorted()
        try connection.execute(SQL.deleteHalfMessages, list: gone.map { .int($0) })
        for (answer, outcome) in [
            (TransactionDecision.Answer.commit, TransactionOutcome.committed), (.rollBack, .rolledBack),
        ] {
            let seqs = first.filter { $0.value == answer }.keys.sorted()
            try connection.execute(
                SQL.decideTransactions, list: seqs.map { .int($0) },
                before: [.int(Int64(outcome.rawValue)), .int(StoreClock.now())])
        }
    }

    private func contents(
        _ seqs: [Int64], on connection: isolated MariaDBConnection
    ) throws -> [MessageID: Message] {
        var contents: [MessageID: Message] = [:]
        try connection.query(SQL.load, list: seqs.sorted().map { .int($0) }) { row in
            let message = try row.message(4, hasBody: true)
            contents[message.id] = message
        }
        return contents
    }

    private func outcomes(
        _ batch: [TransactionDecision], _ halves: [MessageID: Half], destinations: [Int64: Route],
        contents: [MessageID: Message]
    ) -> [TransactionDecision.Outcome] {
        var answered: [MessageID: TransactionOutcome] = halves.compactMapValues {
            $0.outcome == .undecided ? nil : $0.outcome
        }
        return batch.map { decision in
            guard let half = halves[decision.messageID] else { return .unknown }
            guard [half.publisherGroup, half.connectionGroup].contains(decision.connectionGroup) else {
                return .wrongGroup(publisherGroup: half.publisherGroup)
            }
            if let outcome = answered[decision.messageID] { return .alreadyDecided(outcome) }
            answered[decision.messageID] = decision.answer == .commit ? .committed : .rolledBack
            guard decision.answer == .commit else { return .rolledBack }
            guard let route = destinations[half.seq], !route.members.isEmpty else { return .committedForNobody }
            return .committed(seq: half.seq, route: route, message: contents[decision.messageID])
        }
    }
}
