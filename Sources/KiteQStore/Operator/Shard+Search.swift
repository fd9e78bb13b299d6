import KiteQCore
import MariaDB

/// Messages by ranges of seq: of the table, or of the index entries that a filter stands for.
extension Shard {
    /// Ranges of one search, and the entries read of each at least.
    private static let maxRanges = 4_000
    private static let leastEntries = 16

    /// Seqs in the order of a search, and how far they go: nil to the end.
    private struct Entries {
        var seqs: [Int64]
        var reached: Int64?
    }

    /// The seqs between which is looked, both excluded.
    private struct Window {
        var above: Int64
        var below: Int64
        var isUp: Bool

        init(_ filter: MessageFilter, _ order: MessageCursor.Order, after position: Int64) {
            let seqs = filter.seqs
            isUp = order == .oldestFirst
            above = isUp ? max(position, seqs.above) : seqs.above
            below = isUp ? seqs.below : min(position, seqs.below)
        }

        var values: [MariaDBValue] { [.int(above), .int(below)] }
        func isBefore(_ a: Int64, _ b: Int64) -> Bool { isUp ? a < b : a > b }
    }

    /// Those that match behind a seq. Looks at about `rows` entries.
    func messages(
        _ filter: MessageFilter, _ order: MessageCursor.Order, after position: Int64, rows: Int
    ) async throws -> MessagePage.Stream {
        let window = Window(filter, order, after: position)
        return try await ask { [self] connection, deadline in
            if filter.group == nil, filter.state == nil || filter.state == .fresh {
                let statement = window.isUp ? OperatorSQL.messagesUp : OperatorSQL.messagesDown
                let page = try connection.query(statement, window.values + [.int(rows)])
                    .map { try MessageSummary($0, shard: number) }
                return MessagePage.Stream(
                    messages: page.filter(filter.matches), reached: page.count == rows ? page.last?.seq : nil)
            }
            let entries = try entries(filter, window, rows, deadline, on: connection)
            var messages: [MessageSummary] = []
            try connection.query(OperatorSQL.summaries, list: entries.seqs.sorted().map { .int($0) }) { row in
                let message = try MessageSummary(row, shard: number)
                if filter.matches(message) { messages.append(message) }
            }
            // The last list is filled up with its last value, which comes once all the same.
            return MessagePage.Stream(
                messages: messages.sorted { window.isBefore($0.seq, $1.seq) }, reached: entries.reached)
        }
    }

    private func entries(
        _ filter: MessageFilter, _ window: Window, _ rows: Int, _ deadline: OperatorDeadline,
        on connection: isolated MariaDBConnection
    ) throws -> Entries {
        var parts: [Entries] = []
        let ranges = try ranges(filter, on: connection)
        let share = max(Self.leastEntries, rows / max(1, ranges.count))
        let statement = window.isUp ? OperatorSQL.routeUp : OperatorSQL.routeDown
        for (owner, route) in ranges {
            try deadline.check()
            let seqs = try connection.query(
                statement, [.int(owner), .int(route)] + window.values + [.int(share)]
            ).map { try $0.int(0) }
            parts.append(Entries(seqs: seqs, reached: seqs.count == share ? seqs.last : nil))
        }
        if let group = filter.group, filter.state == nil || filter.state == .tracked {
            parts.append(try Self.deliveries(of: group, window, rows, on: connection))
        }
        // Behind the place that some range has reached, what comes next of all is not known.
        let reached = parts.compactMap(\.reached).min(by: window.isBefore)
        let seqs = Set(parts.flatMap(\.seqs)).filter { seq in reached.map { !window.isBefore($0, seq) } ?? true }
        return Entries(seqs: Array(seqs), reached: reached)
    }

    /// The pairs of owner and route whose messages are meant.
    private func ranges(
        _ filter: MessageFilter, on connection: isolated MariaDBConnection
    ) throws -> [(owner: Int64, route: RouteID)] {
        if filter.group == nil, filter.state == .tracked { return [(0, Route.trackedID)] }
        // Tracked ones are found by their deliveries, and a half one is owed to nobody.
        if filter.group != nil, filter.state == .tracked || filter.state == .half { return [] }
        let owners = try messageOwners(on: connection)
        guard let group = filter.group else { return owners.map { ($0, Route.halfID) } }
        let routes = try connection.query(OperatorSQL.routesOf, [.text(group), .int(Self.maxRanges + 1)])
            .map { try $0.int(0) }
        guard routes.count * owners.count <= Self.maxRanges else {
            throw StoreError(
                .failed, "\(group) is in too many sets of groups (\(routes.count)) to search by it: search by topic")
        }
        return owners.flatMap { owner in routes.map { (owner, $0) } }
    }

    /// Delivery rows of all groups by seq, of which those of one are taken.
    private static func deliveries(
        of group: String, _ window: Window, _ rows: Int, on connection: isolated MariaDBConnection
    ) throws -> Entries {
        let statement = window.isUp ? OperatorSQL.deliveriesUp : OperatorSQL.deliveriesDown
        let page = try connection.query(statement, window.values + [.int(rows)])
        let seqs = try page.filter { try $0.text(1).utf8.elementsEqual(group.utf8) }.map { try $0.int(0) }
        guard page.count == rows, let first = try page.first?.int(0), let last = try page.last?.int(0) else {
            return Entries(seqs: seqs, reached: nil)
        }
        // The last message may have further groups; where it is the only one, it has too many of them to be looked at.
        return Entries(seqs: seqs, reached: first == last ? last : last + (window.isUp ? -1 : 1))
    }
}
