import KiteQCore
import MariaDB
import NIOCore

/// What all tables of a shard say of one message.
extension Shard {
    /// Groups of one message that are looked at.
    private static let maxGroups = 1_000

    /// A message's row, with what is not in its summary.
    private struct Found {
        var summary: MessageSummary
        var route: RouteID
        var content: MessageStory.Content
    }

    func story(of id: MessageID) async throws -> MessageStory? {
        try await ask { [self] connection, _ in
            let found = try Self.message(id, shard: number, on: connection)
            let deliveries = try found.map { try self.deliveries($0, on: connection) } ?? []
            let transaction = try Self.transaction(id, on: connection)
            // Last: what dies meanwhile is found here, after it was found there.
            let letters = try connection.query(DeadLetterSQL.byMessage, [id.value, .int(Self.maxGroups)])
                .map { try DeadLetter($0, shard: number) }
            if found == nil, transaction == nil, letters.isEmpty { return nil }
            var content = found?.content
            if content == nil, let letter = letters.last {
                content = try connection.query(
                    OperatorSQL.letterContent, [.int(MessageStory.Content.bodyLimit), .int(letter.id.number)]
                ).first.map { try MessageStory.Content($0, 0) }
            }
            return MessageStory(
                id: id, shard: number, message: found?.summary, content: content,
                groups: GroupDelivery.all(deliveries, letters), transaction: transaction, deadLetters: letters)
        }
    }

    private static func message(
        _ id: MessageID, shard: Int, on connection: isolated MariaDBConnection
    ) throws -> Found? {
        let values: [MariaDBValue] = [.int(MessageStory.Content.bodyLimit), id.value]
        return try connection.query(OperatorSQL.message, values).first.map { row in
            Found(
                summary: try MessageSummary(row, shard: shard), route: try row.int(11),
                content: try MessageStory.Content(row, 12))
        }
    }

    /// Who is owed it: its route while it is fresh, its delivery rows once it is tracked.
    private func deliveries(
        _ found: Found, on connection: isolated MariaDBConnection
    ) throws -> [GroupDelivery] {
        var deliveries: [GroupDelivery]
        switch found.summary.state {
        case .half: return []
        case .fresh:
            let members = try routeIfThere(found.route, on: connection)?.members ?? []
            deliveries = members.map { GroupDelivery(group: $0.group, state: .fresh, owner: found.summary.owner) }
        case .tracked:
            deliveries = try connection.query(
                OperatorSQL.deliveriesOfMessage, [.int(found.summary.seq), .int(Self.maxGroups)]
            ).map { try GroupDelivery($0) }
        }
        let owners = Set(deliveries.map(\.owner)).subtracting([0]).sorted().map { MariaDBValue.int($0) }
        var names: [Int64: String] = [:]
        try connection.query(OperatorSQL.names, list: owners) { names[try $0.int(0)] = try $0.text(1) }
        for place in deliveries.indices { deliveries[place].ownerName = names[deliveries[place].owner] }
        return deliveries
    }

    private static func transaction(
        _ id: MessageID, on connection: isolated MariaDBConnection
    ) throws -> TransactionRecord? {
        try connection.query(OperatorSQL.transaction, [id.value]).first.map { row in
            TransactionRecord(
                outcome: try row.outcome(0), checks: Int(try row.int(1)), at: try row.int(2),
                publisherGroup: try row.text(3), connectionGroup: try row.text(4))
        }
    }
}

extension MariaDBRow {
    func outcome(_ column: Int) throws -> TransactionOutcome {
        let value = try int(column)
        guard let outcome = UInt8(exactly: value).flatMap({ TransactionOutcome(rawValue: $0) }) else {
            throw StoreError(.failed, "a transaction in the store has the unknown outcome \(value)")
        }
        return outcome
    }
}

extension MessageStory.Content {
    /// The columns `header, LEFT(body, …), LENGTH(body)` from `first` on.
    init(_ row: MariaDBRow, _ first: Int) throws {
        self.init(
            header: try row.buffer(first), body: try row.buffer(first + 1), bodySize: Int(try row.int(first + 2)))
    }
}

extension GroupDelivery {
    /// A row of ``OperatorSQL/deliveriesOfMessage``.
    init(_ row: MariaDBRow) throws {
        self.init(
            group: try row.text(0), dueAt: try row.int(2), owner: try row.int(4), attempts: Int(try row.int(1)),
            lastError: try row.optionalBytes(3).map { String(decoding: $0, as: UTF8.self) })
    }

    init(group: String, dueAt: Timestamp, owner: Int64, attempts: Int, lastError: String?) {
        let state: State =
            owner != 0 ? .held : dueAt == 0 ? .away : .retrying(dueAt: dueAt)
        self.init(group: group, state: state, owner: owner, attempts: attempts, lastError: lastError)
    }

    /// Deliveries, and the letters of groups that have none any more, by group.
    static func all(_ deliveries: [GroupDelivery], _ letters: [DeadLetter]) -> [GroupDelivery] {
        let owed = Set(deliveries.map(\.group))
        let dead = letters.filter { $0.reason != .undecided && !owed.contains($0.group) }.map { letter in
            GroupDelivery(
                group: letter.group, state: .dead(letter.id, reason: letter.reason, diedAt: letter.diedAt),
                attempts: letter.attempts, lastError: letter.lastError)
        }
        return (deliveries + dead).sorted { $0.group.utf8.lexicographicallyPrecedes($1.group.utf8) }
    }
}
