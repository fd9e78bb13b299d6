import KiteQCore
import MariaDB

/// Reading the dead letters of one shard.
extension Shard {
    /// The rows of the filter's range after a position, at most `limit`: also those that the filter leaves out.
    func deadLetters(
        _ filter: DeadLetterFilter, after position: DeadLetterCursor.Position, limit: Int
    ) async throws -> [DeadLetter] {
        try await ask { [number] connection, _ in
            switch filter.range {
            case .group(let name):
                try Self.letters(DeadLetterSQL.byGroup, name, filter.reasons, position, limit, number, on: connection)
            case .topic(let name):
                try Self.letters(DeadLetterSQL.byTopic, name, filter.reasons, position, limit, number, on: connection)
            case .time:
                try Self.letters(by: filter, position, limit, number, on: connection)
            }
        }
    }

    /// Each reason's range gives its first ones: beyond the limit of all together none is wanted.
    private static func letters(
        _ statement: String, _ name: String, _ reasons: Set<DeadLetterReason>, _ position: DeadLetterCursor.Position,
        _ limit: Int, _ shard: Int, on connection: isolated MariaDBConnection
    ) throws -> [DeadLetter] {
        var letters: [DeadLetter] = []
        for reason in reasons.sorted(by: { $0.rawValue < $1.rawValue }) {
            letters += try connection.query(
                statement, [.text(name), .int(Int64(reason.rawValue)), .int(position.number), .int(limit)]
            ).map { try DeadLetter($0, shard: shard) }
        }
        return Array(letters.sorted { $0.id.number < $1.id.number }.prefix(limit))
    }

    private static func letters(
        by filter: DeadLetterFilter, _ position: DeadLetterCursor.Position, _ limit: Int, _ shard: Int,
        on connection: isolated MariaDBConnection
    ) throws -> [DeadLetter] {
        var position = position
        if let from = filter.diedFrom, from > position.diedAt {
            position = .init(diedAt: from - 1, number: Int64.max)
        }
        return try connection.query(
            DeadLetterSQL.byTime,
            [
                .int(position.diedAt), .int(position.number), .int(position.diedAt),
                .int(filter.diedBefore ?? Int64.max), .int(limit),
            ]
        ).map { try DeadLetter($0, shard: shard) }
    }

    func deadLetter(_ number: Int64) async throws -> DeadLetter? {
        try await ask { [shard = self.number] connection, _ in
            try connection.query(DeadLetterSQL.byNumber, [.int(number)]).first.map { try DeadLetter($0, shard: shard) }
        }
    }

    func deadLetters(of message: MessageID, limit: Int) async throws -> [DeadLetter] {
        try await ask { [number] connection, _ in
            try connection.query(DeadLetterSQL.byMessage, [message.value, .int(limit)])
                .map { try DeadLetter($0, shard: number) }
        }
    }

    func contentOfDeadLetter(_ number: Int64) async throws -> DeadLetter.Content? {
        try await ask { connection, _ in
            try connection.query(DeadLetterSQL.content, [.int(number)]).first.map { row in
                DeadLetter.Content(
                    header: try row.buffer(0), body: try row.buffer(1),
                    extra: try row.values[2] == .null ? nil : row.buffer(2))
            }
        }
    }

    /// Unix milliseconds by the server's clock.
    func serverTime() async throws -> Timestamp {
        try await ask { connection, _ in try Self.serverTime(on: connection) }
    }

    static func serverTime(on connection: isolated MariaDBConnection) throws -> Timestamp {
        guard let row = try connection.query(DeadLetterSQL.now).first else {
            throw StoreError(.failed, "the server did not say what time it is")
        }
        return try row.int(0)
    }

    /// - Throws: `StoreError` with `notMigrated` where the tables are not those of this configuration.
    func checkSlots(_ map: ShardMap) async throws {
        let slots = try await ask { connection, _ in try connection.query(SQL.slots).map { Int(try $0.int(1)) } }
        guard !slots.isEmpty else {
            throw StoreError(
                .notMigrated, "shard \(number) (\(pool.configuration)) has not KiteQ's slots: run `kiteq migrate` first"
            )
        }
        let problem: String?
        do {
            problem = map.difference(from: try ShardMap(validating: slots))
        } catch {
            problem = error.description
        }
        if let problem {
            throw StoreError(.notMigrated, "shard \(number) (\(pool.configuration)) is not of this store: \(problem)")
        }
    }
}

extension DeadLetter {
    /// A row of ``DeadLetterSQL/columns``.
    init(_ row: MariaDBRow, shard: Int) throws {
        let (number, reason, kind) = (try row.int(0), try row.int(4), try row.int(11))
        guard let reason = UInt8(exactly: reason).flatMap({ DeadLetterReason(rawValue: $0) }),
            let kind = UInt8(exactly: kind).flatMap({ Message.Kind(rawValue: $0) })
        else {
            throw StoreError(
                .failed, "dead letter \(shard):\(number) has reason \(reason) and kind \(kind), which are not known")
        }
        self.init(
            id: DeadLetterID(shard: shard, number: number), seq: try row.int(1), messageID: try row.id(2),
            group: try row.text(3), reason: reason, attempts: Int(try row.int(5)),
            lastError: try row.values[6] == .null ? nil : row.text(6), diedAt: try row.int(7),
            expiresAt: try row.int(8), publishedAt: try row.int(9), deliverLimit: Int(try row.int(10)), kind: kind,
            topic: try row.text(12), messageType: try row.text(13), publisherGroup: try row.text(14))
    }
}
