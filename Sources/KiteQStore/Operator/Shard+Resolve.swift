import KiteQCore
import MariaDB

/// Half messages that a person looks at, and decides.
extension Shard {
    func openTransactions(after place: DueTransaction.Place, limit: Int) async throws -> [OpenTransaction] {
        let from = MariaDBValue.int(place.nextCheckAt)
        return try await openTransactions(
            OperatorSQL.openTransactions, [from, from, .int(place.seq), .int(limit)])
    }

    /// Those that are asked about last, the last one first.
    func lastOpenTransactions(limit: Int) async throws -> [OpenTransaction] {
        try await openTransactions(OperatorSQL.lastOpenTransactions, [.int(limit)])
    }

    private func openTransactions(_ statement: String, _ values: [MariaDBValue]) async throws -> [OpenTransaction] {
        try await ask { [number] connection, _ in
            try connection.query(statement, values).map { row in
                OpenTransaction(
                    messageID: try row.id(0), shard: number, seq: try row.int(1), topic: try row.text(2),
                    messageType: try row.text(3), publisherGroup: try row.text(4), connectionGroup: try row.text(5),
                    publishedAt: try row.int(6), expiresAt: try row.int(7), checks: Int(try row.int(8)),
                    nextCheckAt: try row.int(9))
            }
        }
    }

    /// What became of a half message; nil where nothing is remembered of it.
    func outcome(of id: MessageID) async throws -> TransactionOutcome? {
        try await ask { connection, _ in
            try connection.query(OperatorSQL.outcome, [id.value]).first.map { try $0.outcome(0) }
        }
    }

    /// The bindings of the topic of a half message are not known here.
    struct UnknownTopic: Error {
        var topic: String
        var messageType: String
    }

    /// Decides a half message that is not parked, in one transaction: first `kite_transaction`, then the message, as a
    /// producer's answer does.
    /// - Throws: ``UnknownTopic`` where no groups are given for a commit, and `route` has none.
    func resolve(
        _ id: MessageID, _ answer: TransactionDecision.Answer, to groups: [String],
        route: @escaping @Sendable (String, String) -> Route?
    ) async throws -> TransactionResolution {
        let (resolution, isRepeat) = try await repeatably { connection in
            try Self.resolve(id, answer, to: groups, route, on: connection)
        }
        // The commit whose reply was lost did it; that somebody else gave the same answer within the same moment comes to the
        // same.
        guard isRepeat, case .alreadyDecided(let outcome) = resolution, outcome == answer.outcome else {
            return resolution
        }
        return answer == .commit ? .committed(groups: groups) : .rolledBack
    }

    private static func resolve(
        _ id: MessageID, _ answer: TransactionDecision.Answer, to groups: [String],
        _ route: (String, String) -> Route?, on connection: isolated MariaDBConnection
    ) throws -> TransactionResolution {
        guard let row = try connection.query(OperatorSQL.lockOutcome, [id.value]).first else { return .unknown }
        let (outcome, seq) = (try row.outcome(0), try row.int(1))
        guard outcome == .undecided else { return .alreadyDecided(outcome) }
        var receivers = groups
        var isThere = false
        try connection.query(SQL.lockHalfMessages, list: [.int(seq)]) { row in
            isThere = true
            guard answer == .commit, receivers.isEmpty else { return }
            let (topic, messageType) = (try row.text(1), try row.text(2))
            guard let route = route(topic, messageType) else {
                throw UnknownTopic(topic: topic, messageType: messageType)
            }
            receivers = route.members.map(\.group)
        }
        guard isThere else {
            throw StoreError(.failed, "the half message \(id) has a transaction, and is not in kite_message")
        }
        let now = try serverTime(on: connection)
        switch answer {
        case .commit:
            guard !receivers.isEmpty else {
                return .refused("no group is bound to it; name those that are to get it")
            }
            try connection.execute(OperatorSQL.commitTracked, [.int(seq)])
            let least = MariaDBValue.int(now + DeadLetter.shortestLife)
            try connection.execute(DeadLetterSQL.raiseExpiry, [least, .int(seq), least])
            try connection.insert(
                into: DeadLetterSQL.insertDeliveries, deliveries(seq, receivers, dueAt: now),
                tail: DeadLetterSQL.keepDelivery)
        case .rollBack:
            try connection.execute(SQL.deleteHalfMessages, list: [.int(seq)])
        }
        try connection.execute(
            SQL.decideTransactions, list: [.int(seq)],
            before: [.int(Int64(answer.outcome.rawValue)), .int(now)])
        return answer == .commit ? .committed(groups: receivers) : .rolledBack
    }
}
