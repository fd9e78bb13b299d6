import KiteQCore
import MariaDB

/// Commits and roll backs: the first final answer wins.
extension Shard {
    func decide(
        _ batch: [TransactionDecision], route: @escaping @Sendable (String, String) -> Route?
    ) async throws -> [TransactionDecision.Outcome] {
        let outcomes = try await decideOpen(batch, route: route)
        return try await decideParked(batch, after: outcomes, route: route)
    }

    /// All but what was parked.
    private func decideOpen(
        _ batch: [TransactionDecision], route: @escaping @Sendable (String, String) -> Route?
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
        _ batch: [TransactionDecision], route: @escaping @Sendable (String, String) -> Route?
    ) async throws -> [TransactionDecision.Outcome] {
        let half = batch.count / 2
        let first = try await decideOpen(Array(batch[..<half]), route: route)
        do {
            return first + (try await decideOpen(Array(batch[half...]), route: route))
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
        var checks: Int
        var nextCheckAt: Timestamp

        func mayBeAnswered(by group: String) -> Bool { [publisherGroup, connectionGroup].contains(group) }
    }

    /// Where a half message that is answered would go.
    private struct Destination {
        var topic: String
        var messageType: String
        /// Nil where the topic's bindings are not known here. Of a roll back it is not asked.
        var route: Route?
    }

    /// What is written of a batch: the answers that count, by seq, and where what they commit goes.
    private struct Decided {
        var answers: [Int64: TransactionDecision.Answer]
        var destinations: [Int64: Destination] = [:]

        /// Nobody here knows whom it is for: it is left as it is.
        func isLeft(_ seq: Int64) -> Bool {
            answers[seq] == .commit && destinations[seq].map { $0.route == nil } ?? false
        }

        func isForNobody(_ seq: Int64) -> Bool {
            answers[seq] == .commit && destinations[seq]?.route?.isEmpty == true
        }

        /// With groups that get it.
        var committed: [Int64: Route] {
            destinations.compactMapValues(\.route).filter { answers[$0.key] == .commit && !$0.value.isEmpty }
        }
    }

    private func decide(
        _ batch: [TransactionDecision], known: [Int64: Route], route: (String, String) -> Route?,
        on connection: isolated MariaDBConnection
    ) throws -> Attempt {
        var halves: [MessageID: Half] = [:]
        try connection.query(SQL.lockTransactions, list: Array(Set(batch.map(\.messageID)).sorted().map(\.value))) {
            row in
            halves[try row.id(1)] = Half(
                seq: try row.int(0), publisherGroup: try row.text(2), connectionGroup: try row.text(3),
                // One that a later version knows is decided, whatever it is.
                outcome: UInt8(exactly: try row.int(4)).flatMap { TransactionOutcome(rawValue: $0) } ?? .parked,
                checks: Int(try row.int(5)), nextCheckAt: try row.int(6))
        }
        var decided = Decided(answers: firstAnswers(batch, halves))
        try connection.query(SQL.lockHalfMessages, list: decided.answers.keys.sorted().map { .int($0) }) { row in
            let (seq, topic, messageType) = (try row.int(0), try row.text(1), try row.text(2))
            decided.destinations[seq] = Destination(
                topic: topic, messageType: messageType,
                route: decided.answers[seq] == .commit ? route(topic, messageType) : nil)
        }
        let missing = decided.committed.values.filter { known[$0.id] == nil && knownRoute($0.id) == nil }
        if !missing.isEmpty { return .needs(Array(missing)) }

        try write(decided, on: connection)
        CrashPoint.reached(.deciding)
        let wanted = Set(batch.filter(\.needsContent).map(\.messageID))
        let committed = decided.committed
        let contents = try contents(
            halves.filter { wanted.contains($0.key) && committed[$0.value.seq] != nil }.map(\.value.seq),
            on: connection)
        return .done(outcomes(batch, halves, decided, contents: contents))
    }

    /// The answers that count, by seq.
    private func firstAnswers(
        _ batch: [TransactionDecision], _ halves: [MessageID: Half]
    ) -> [Int64: TransactionDecision.Answer] {
        var first: [Int64: TransactionDecision.Answer] = [:]
        for decision in batch {
            guard let half = halves[decision.messageID], half.outcome == .undecided,
                half.mayBeAnswered(by: decision.connectionGroup), first[half.seq] == nil
            else { continue }
            first[half.seq] = decision.answer
        }
        return first
    }

    private func write(_ decided: Decided, on connection: isolated MariaDBConnection) throws {
        let first = decided.answers.filter { !decided.isLeft($0.key) }
        let byRoute = Dictionary(grouping: decided.committed, by: \.value.id)
        for (route, messages) in byRoute.sorted(by: { $0.key < $1.key }) {
            try connection.execute(
                SQL.commitMessages, list: messages.map(\.key).sorted().map { .int($0) },
                before: [.int(route), .int(incarnation)])
        }
        let gone = first.keys.filter { first[$0] == .rollBack || decided.isForNobody($0) }.sorted()
        try connection.execute(SQL.deleteHalfMessages, list: gone.map { .int($0) })
        for (answer, outcome) in [
            (TransactionDecision.Answer.commit, TransactionOutcome.committed), (.rollBack, .rolledBack),
        ] {
            let seqs = first.filter { $0.value == answer }.keys.sorted()
            try connection.execute(
                SQL.decideTransactions, list: seqs.map { .int($0) },
                before: [.int(Int64(outcome.rawValue)), .int(now)])
        }
    }

    func contents(
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
        _ batch: [TransactionDecision], _ halves: [MessageID: Half], _ decided: Decided, contents: [MessageID: Message]
    ) -> [TransactionDecision.Outcome] {
        var answered: [MessageID: TransactionOutcome] = halves.compactMapValues {
            $0.outcome == .undecided ? nil : $0.outcome
        }
        return batch.map { decision in
            guard let half = halves[decision.messageID] else { return .unknown }
            guard half.mayBeAnswered(by: decision.connectionGroup) else {
                return .wrongGroup(publisherGroup: half.publisherGroup)
            }
            if let outcome = answered[decision.messageID] { return .alreadyDecided(outcome) }
            let destination = decided.destinations[half.seq]
            if let destination, decided.isLeft(half.seq) {
                return .unknownTopic(
                    .init(
                        topic: destination.topic, place: .init(nextCheckAt: half.nextCheckAt, seq: half.seq),
                        checks: half.checks))
            }
            answered[decision.messageID] = decision.answer.outcome
            guard decision.answer == .commit else { return .rolledBack }
            // A transaction without its message is what a database that was put back has: there is nothing to deliver.
            guard let destination, let route = destination.route else { return .unknown }
            if route.isEmpty {
                return .committedForNobody(topic: destination.topic, messageType: destination.messageType)
            }
            return .committed(seq: half.seq, route: route, message: contents[decision.messageID])
        }
    }
}
