import KiteQCore
import MariaDB

/// Late answers: a half message that was parked is undecided for as long as its dead letter is there.
///
/// Locks are taken in the order of a person's acts (`Shard+Requeue`): dead letters by id, transactions, messages.
extension Shard {
    private static let repetitions = 5
    /// Each may have waited for a lock.
    private static let mostRefusals = 8
    /// Of at most 2 MiB each, which are written once and deleted once (`transactionBytes`).
    private static let lateAtOnce = transactionBytes / (4 << 20)

    /// Decides what `outcomes` says is parked, or what no transaction is known of any more; the other outcomes stay.
    ///
    /// - Parameter contentBytes: once so many were read, the others are left for another time.
    func decideParked(
        _ batch: [TransactionDecision], after outcomes: [TransactionDecision.Outcome], contentBytes: Int,
        route: @escaping @Sendable (String, String) -> Route?
    ) async throws -> [TransactionDecision.Outcome] {
        let candidates = outcomes.indices.filter { place in
            switch outcomes[place] {
            case .alreadyDecided(.parked), .unknown: true
            default: false
            }
        }
        var outcomes = outcomes
        var left = contentBytes
        var refusals = 0
        // What is not written, and so what is behind it.
        var barred: [MessageID: TransactionDecision.Outcome] = [:]
        var open = candidates.pieces(bytes: .max, rows: Self.lateAtOnce, size: { _ in 0 })[...]
        while let some = open.popFirst() {
            let free = some.filter { barred[batch[$0].messageID] == nil }
            for place in some { if let outcome = barred[batch[place].messageID] { outcomes[place] = outcome } }
            guard !free.isEmpty else { continue }
            func leave(_ reason: String) {
                for place in free {
                    outcomes[place] = .notYet(reason)
                    barred[batch[place].messageID] = outcomes[place]
                }
            }
            guard left > 0, refusals < Self.mostRefusals else {
                leave(refusals > 0 ? "others before it were not written either" : "large messages go before it")
                continue
            }
            do {
                let late = try await decideLetters(free.map { batch[$0] }, route: route)
                for (place, outcome) in zip(free, late) {
                    guard let outcome else { continue }
                    outcomes[place] = outcome
                    if case .unknownTopic = outcome { barred[batch[place].messageID] = outcome }
                }
                left -= Deciding.contentBytes(of: late.compactMap(\.self))
            } catch let error as StoreError {
                if error.isOutcomeUnknown {
                    if let thread = (error.underlying as? MariaDBError)?.thread { suspect(thread, from: 1) }
                    throw error
                }
                if free.count > 1, Self.isOfTheAnswers(error) {
                    let half = free.count / 2
                    open = [Array(free[..<half]), Array(free[half...])] + open
                } else {
                    // It stays parked, and holds up nobody; the others of the batch are done.
                    leave("\(error)")
                    refusals = Self.isOfTheAnswers(error) ? refusals + 1 : Self.mostRefusals
                }
            }
        }
        return outcomes
    }

    private enum LateAttempt: Sendable {
        case done([TransactionDecision.Outcome?])
        case needs([Route])
    }

    /// - Returns: nil where there is nothing new to say.
    private func decideLetters(
        _ batch: [TransactionDecision], route: @escaping @Sendable (String, String) -> Route?
    ) async throws -> [TransactionDecision.Outcome?] {
        var routes: [Int64: Route] = [:]
        var failures = 0
        while true {
            let known = routes
            do {
                let result = try await writingFresh { write in
                    try await run(retryingLockWaits: false) { [self] connection in
                        try connection.transaction {
                            var late = try LateAnswers(to: batch, on: connection)
                            let outcomes = late.judge(batch, route)
                            let missing = late.routes.filter { known[$0.id] == nil && knownRoute($0.id) == nil }
                            guard missing.isEmpty else { return LateAttempt.needs(missing) }
                            note(late.committed.map { ($0.route, $0.seq) }, in: write)
                            try late.write(as: incarnation, on: connection)
                            let contents = try contents(late.committed.map(\.seq), on: connection)
                            return .done(LateAnswers.adding(contents, to: outcomes, of: batch))
                        }
                    }
                }
                switch result {
                case .done(let outcomes): return outcomes
                case .needs(let missing):
                    try await ensureRoutes(missing)
                    for route in missing { routes[route.id] = route }
                }
            } catch let error as StoreError {
                // The same id was published again within the moment: it is looked at again.
                guard (error.underlying as? MariaDBError)?.isDuplicateKey == true, failures < Self.repetitions else {
                    throw error
                }
                failures += 1
            }
        }
    }
}
