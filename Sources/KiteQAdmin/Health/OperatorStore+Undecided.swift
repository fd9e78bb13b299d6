import KiteQCore

extension OperatorStore {
    /// Undecided half messages from both ends of the order in which they are asked about, each once: where many are under way,
    /// one that nobody answers is at the far end.
    /// - Parameter limit: for each end.
    /// - Returns: them in no order, and the shards that did not answer.
    func undecided(limit: Int) async throws -> (transactions: [OpenTransaction], failures: [ShardFailure]) {
        async let far = lastOpenTransactions(limit: limit)
        let near = try await openTransactions(after: nil, limit: limit)
        let (last, failures) = await far
        // One that was asked about meanwhile may be in both, with another time.
        let byID = Dictionary(
            (near.transactions + last).map { ($0.messageID, $0) }, uniquingKeysWith: { first, _ in first })
        return (Array(byID.values), near.failures + failures)
    }
}
