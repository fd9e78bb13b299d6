import KiteQCore

extension OperatorStore {
    /// A page of undecided half messages that are within a scope. It looks at a bounded number of them, so it may be short, or
    /// empty, and not be the last.
    func openTransactions(
        _ scope: NameScope, after cursor: TransactionCursor?, limit: Int
    ) async throws -> TransactionPage {
        guard !scope.isAll else { return try await openTransactions(after: cursor, limit: limit) }
        let looked = try await openTransactions(after: cursor, limit: max(limit, Self.looked))
        var page = looked
        page.transactions = []
        var place = cursor ?? TransactionCursor(shards: shardMap.shardCount)
        for transaction in looked.transactions {
            guard page.transactions.count < limit else {
                page.next = place
                break
            }
            place.places[transaction.shard] = transaction.place
            if scope.has(transaction) { page.transactions.append(transaction) }
        }
        return page
    }

    /// Half messages that one page looks at for whom not all of them are.
    private static var looked: Int { 500 }
}
