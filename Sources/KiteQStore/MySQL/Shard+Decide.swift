import KiteQCore
import MariaDB

/// Commits and roll backs: the first final answer wins.
extension Shard {
    /// In transactions that are bounded in bytes (`Deciding`).
    func decide(
        _ batch: [TransactionDecision], route: @escaping @Sendable (String, String) -> Route?
    ) async throws -> [TransactionDecision.Outcome] {
        var deciding = Deciding(batch)
        while let some = deciding.next() {
            do {
                try await decide(some, &deciding, route: route)
            } catch let error as StoreError where !error.isOutcomeUnknown && !deciding.outcomes.isEmpty {
                // What was decided is told. Whoever gives the rest again meets the error, if it is still there.
                break
            }
        }
        return deciding.outcomes
    }

    /// One piece of a batch.
    private func decide(
        _ some: [TransactionDecision], _ deciding: inout Deciding,
        route: @escaping @Sendable (String, String) -> Route?
    ) async throws {
        let result: Attempt
        do {
            result = try await decideOpen(some, route: route)
        } catch let error as StoreError {
            if Self.isOfTheAnswers(error) { return deciding.refuse(some, "\(error)") }
            // What it committed, if anything, is in the store alone: the groups have to read it from there.
            if error.isOutcomeUnknown, let thread = (error.underlying as? MariaDBError)?.thread {
                suspect(thread, from: 1)
            }
            throw error
        }
        switch result {
        case .done(let outcomes):
            let budget = deciding.contentLeft - Deciding.contentBytes(of: outcomes)
            deciding.end(some, try await decideParked(some, after: outcomes, contentBytes: budget, route: route))
        case .tooLarge(let sizes): deciding.cut(some, by: sizes)
        case .needs: preconditionFailure("what an attempt needs was written before the next one")
        }
    }

    /// Whether the trouble is with what is written, and not with the server: a row that somebody has locked, one that is too
    /// large, one that the server refuses. Others may pass.
    static func isOfTheAnswers(_ error: StoreError) -> Bool {
        guard !error.isOutcomeUnknown, let cause = error.underlying as? MariaDBError else { return false }
        return cause.isLockWaitTimeout || mayPassInParts(cause) || error.code == .failed
    }

    /// All but what was parked, in one transaction.
    private func decideOpen(
        _ batch: [TransactionDecision], route: @escaping @Sendable (String, String) -> Route?
    ) async throws -> Attempt {
        // Routes are written before the transaction that refers to them; which ones is known once the topics were read.
        var routes: [Int64: Route] = [:]
        while true {
            let known = routes
            let result = try await writingFresh { write in
                try await run(retryingLockWaits: false) { [self] connection in
                    try connection.transaction {
                        try decide(batch, known: known, route: route, in: write, on: connection)
                    }
                }
            }
            guard case .needs(let missing) = result else { return result }
            try await ensureRoutes(missing)
            for route in missing { routes[route.id] = route }
        }
    }

    private enum Attempt: Sendable {
        case done([TransactionDecision.Outcome])
        case needs([Route])
        /// More than a transaction writes; the bytes of those messages whose size was not known.
        case tooLarge([MessageID: Int])
    }

    private struct Half {
        var seq: Int64
        var publisherGroup: String
        var connectionGroup: String
        var outcome: TransactionOutcome
        var checks: Int
        var nextCheckAt: Timestamp

        func mayBeDecided(by decision: TransactionDecision) -> Bool {
            decision.mayDecide(publisherGroup: publisherGroup, publishedBy: connectionGroup)
        }
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
        in freshWrite: FreshMarks.WriteID, on connection: isolated MariaDBConnection
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
        if batch.count > 1, let sizes = try sizesIfTooLarge(batch, halves, decided.answers, on: connection) {
            return .tooLarge(sizes)
        }
        try connection.query(SQL.lockHalfMessages, list: decided.answers.keys.sorted().map { .int($0) }) { row in
            let (seq, topic, messageType) = (try row.int(0), try row.text(1), try row.text(2))
            decided.destinations[seq] = Destination(
                topic: topic, messageType: messageType,
                route: decided.answers[seq] == .commit ? route(topic, messageType) : nil)
        }
        let missing = decided.committed.values.filter { known[$0.id] == nil && knownRoute($0.id) == nil }
        if !missing.isEmpty { return .needs(Array(missing)) }

        let committed = decided.committed
        note(committed.map { ($0.value.id, $0.key) }, in: freshWrite)
        try write(decided, on: connection)
        CrashPoint.reached(.deciding)
        let wanted = batch.compactMap { decision in
            halves[decision.messageID].flatMap { decision.needsContent(of: $0.seq) ? $0.seq : nil }
        }
        let contents = try contents(Set(wanted).filter { committed[$0] != nil }, on: connection)
        return .done(outcomes(batch, halves, decided, contents: contents))
    }

    /// Nil where one transaction may write all of them.
    private func sizesIfTooLarge(
        _ batch: [TransactionDecision], _ halves: [MessageID: Half], _ answers: [Int64: TransactionDecision.Answer],
        on connection: isolated MariaDBConnection
    ) throws -> [MessageID: Int]? {
        let unsized = Set(batch.filter { $0.bytes == nil }.map(\.messageID))
        let asked = halves.filter { unsized.contains($0.key) && answers[$0.value.seq] != nil }
        guard !asked.isEmpty else { return nil }
        let bySeq = try Self.sizes(of: asked.values.map(\.seq).sorted(), on: connection)
        let sizes = asked.mapValues { bySeq[$0.seq] ?? 0 }
        return Deciding.fits(batch, sizes) ? nil : sizes
    }

    /// The answers that count, by seq.
    private func firstAnswers(
        _ batch: [TransactionDecision], _ halves: [MessageID: Half]
    ) -> [Int64: TransactionDecision.Answer] {
        var first: [Int64: TransactionDecision.Answer] = [:]
        for decision in batch {
            guard let half = halves[decision.messageID], half.outcome == .undecided,
                half.mayBeDecided(by: decision), first[half.seq] == nil
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
        _ seqs: some Sequence<Int64>, on connection: isolated MariaDBConnection
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
            guard half.mayBeDecided(by: decision) else {
                return .wrongGroup(publisherGroup: half.publisherGroup)
            }
            if let outcome = answered[decision.messageID] { return .alreadyDecided(outcome) }
            let destination = decided.destinations[half.seq]
            if let destination, decided.isLeft(half.seq) {
                return .unknownTopic(
                    .init(
                        topic: destination.topic, messageType: destination.messageType,
                        place: .init(nextCheckAt: half.nextCheckAt, seq: half.seq), checks: half.checks))
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
