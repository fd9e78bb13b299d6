import KiteQCore
import Logging
import MariaDB

/// Late answers: a half message that was parked is undecided for as long as its dead letter is there.
///
/// Locks are taken in the order of a person's acts (`Shard+Requeue`): dead letters by id, transactions, messages.
extension Shard {
    private static let repetitions = 5
    /// Of at most 2 MiB each, which are written once and deleted once (`transactionBytes`).
    private static let lateAtOnce = transactionBytes / (4 << 20)

    /// Decides what `outcomes` says is parked, or what no transaction is known of any more; the other outcomes stay.
    func decideParked(
        _ batch: [TransactionDecision], after outcomes: [TransactionDecision.Outcome],
        route: @escaping @Sendable (String, String) -> Route?
    ) async throws -> [TransactionDecision.Outcome] {
        let candidates = outcomes.indices.filter { place in
            switch outcomes[place] {
            case .alreadyDecided(.parked), .unknown: true
            default: false
            }
        }
        var outcomes = outcomes
        for start in stride(from: 0, to: candidates.count, by: Self.lateAtOnce) {
            let some = Array(candidates[start..<min(start + Self.lateAtOnce, candidates.count)])
            do {
                let late = try await decideLetters(some.map { batch[$0] }, route: route)
                for (place, outcome) in zip(some, late) { if let outcome { outcomes[place] = outcome } }
            } catch var error as StoreError {
                if error.isOutcomeUnknown, let thread = (error.underlying as? MariaDBError)?.thread {
                    suspect(thread, from: 1)
                }
                // What would fail again must not hold up the others for ever: it stays parked.
                guard error.isTemporary || error.isOutcomeUnknown else {
                    logger.error("cannot decide parked half messages by late answers: \(error)")
                    continue
                }
                // Some of the batch is done.
                error.isOutcomeUnknown = true
                throw error
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
                let result = try await run { [self] connection in
                    try connection.transaction {
                        var late = try LateAnswers(to: batch, on: connection)
                        let outcomes = late.judge(batch, route)
                        let missing = late.routes.filter { known[$0.id] == nil && knownRoute($0.id) == nil }
                        guard missing.isEmpty else { return LateAttempt.needs(missing) }
                        try late.write(as: incarnation, on: connection)
                        let contents = try contents(late.committed, on: connection)
                        return .done(LateAnswers.adding(contents, to: outcomes, of: batch))
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
