import KiteQCore
import MariaDB

/// How many dead letters match.
extension Shard {
    /// Letters looked at one by one where no index answers the filter.
    private static let maxLooked = 20_000
    private static let pageRows = 2_000

    func deadLetterCount(_ filter: DeadLetterFilter) async throws -> BoundedCount {
        guard filter.isAnsweredByRange || filter.isTimeAlone else { return try await countOneByOne(filter) }
        return try await ask { connection, _ in
            let (statement, name): (String, String)
            switch filter.range {
            case .group(let group): (statement, name) = (OperatorSQL.countByGroup, group)
            case .topic(let topic): (statement, name) = (OperatorSQL.countByTopic, topic)
            case .time:
                let values: [MariaDBValue] = [
                    .int(filter.diedFrom ?? Int64.min), .int(filter.diedBefore ?? Int64.max),
                ]
                return try Self.add(to: .zero, OperatorSQL.countByTime, values, on: connection)
            }
            var count = BoundedCount.zero
            for reason in filter.reasons {
                let values: [MariaDBValue] = [.text(name), .int(Int64(reason.rawValue))]
                count = try Self.add(to: count, statement, values, on: connection)
            }
            return count
        }
    }

    private func countOneByOne(_ filter: DeadLetterFilter) async throws -> BoundedCount {
        var position = DeadLetterCursor.Position.start
        var (found, looked) = (0, 0)
        while looked < Self.maxLooked {
            let page = try await deadLetters(filter, after: position, limit: Self.pageRows)
            found += page.count(where: filter.matches)
            looked += page.count
            guard page.count == Self.pageRows, let last = page.last else { return BoundedCount(found) }
            position = .init(diedAt: last.diedAt, number: last.id.number)
        }
        return BoundedCount(found, isAtLeast: true)
    }
}

extension DeadLetterFilter {
    /// Nothing is asked for but a time.
    fileprivate var isTimeAlone: Bool {
        range == .time && reasons.count == DeadLetterReason.allCases.count && scope.isAll
    }
}
