import KiteQCore
import MariaDB
import NIOCore
import Testing

@testable import KiteQStore

/// A store's databases with rows as brokers leave them, and the dead letters as people get at them.
struct DeadLetterDatabase: Sendable {
    let configuration: MySQLStoreConfiguration
    let pools: [MariaDBPool]
    let letters: DeadLetterStore

    static func with(
        _ kind: StoreUnderTest, shards: Int = 1, through port: Int? = nil,
        _ body: @escaping @Sendable (DeadLetterDatabase) async throws -> Void
    ) async throws {
        let direct = try await kind.configuration(shards: shards)
        _ = try await Migrator(direct, logger: quiet).run()
        var configuration = direct
        if let port { configuration.shards[0].servers = [.tcp(host: "127.0.0.1", port: port)] }
        let pools = direct.shards.map { MariaDBPool($0, logger: quiet) }
        try await withThrowingTaskGroup(of: Void.self) { [configuration] tasks in
            for pool in pools { tasks.addTask { await pool.run() } }
            defer { tasks.cancelAll() }
            try await DeadLetterStore.with(configuration, logger: quiet) { letters in
                try await body(DeadLetterDatabase(configuration: direct, pools: pools, letters: letters))
            }
        }
    }

    // MARK: Rows

    /// A row of `kite_dead_letter` that is not there yet.
    struct Row: Sendable {
        var shard = 0
        var seq = Int64.random(in: 1...1 << 60)
        var message: Message = Messages.message()
        var group = "a"
        var reason = DeadLetterReason.attemptsUsedUp
        var diedAt: Timestamp = 1_800_000_000_000
    }

    /// Buries rows, in the order given; they get ids that rise from 1 in each shard.
    func bury(_ rows: [Row]) async throws -> [DeadLetterID] {
        var ids: [DeadLetterID] = []
        for row in rows {
            let number = try await pools[row.shard].withConnection { connection in
                try connection.execute(
                    """
                    INSERT INTO kite_dead_letter (seq, message_id, group_name, reason, attempts, last_error, died_at, kind, \
                    expires_at, published_at, deliver_limit, topic, message_type, publisher_group, header, body, extra) \
                    VALUES (?, ?, ?, ?, 7, 'why', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                    [
                        .int(row.seq), row.message.id.value, .text(row.group), .int(Int64(row.reason.rawValue)),
                        .int(row.diedAt),
                    ]
                        + Self.values(of: row.message)
                ).lastInsertID
            }
            ids.append(DeadLetterID(shard: row.shard, number: Int64(number)))
        }
        return ids
    }

    /// The message's row, as one that is on its way.
    func insert(_ message: Message, seq: Int64, state: StoredMessage.State, owner: Int64 = 42) async throws {
        _ = try await pools[0].withConnection { connection in
            try connection.execute(
                """
                INSERT INTO kite_message (seq, message_id, state, owner, route, kind, expires_at, published_at, deliver_limit, \
                topic, message_type, publisher_group, header, body, extra) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .int(seq), message.id.value, .int(Int64(state.rawValue)), .int(owner),
                    .int(state == .tracked ? -1 : 7),
                ] + Self.values(of: message))
        }
    }

    private static func values(of message: Message) -> [MariaDBValue] {
        [
            .int(Int64(message.kind.rawValue)), .int(message.expiresAt), .int(message.publishedAt),
            .int(message.deliverLimit), .text(message.topic), .text(message.messageType), .text(message.publisherGroup),
            .bytes(Array(message.header.readableBytesView)), .bytes(Array(message.body.readableBytesView)),
            message.extra.map { .bytes(Array($0.readableBytesView)) } ?? .null,
        ]
    }

    func execute(_ sql: String, shard: Int = 0) async throws {
        try await pools[shard].withConnection { try $0.simple(sql) }
    }

    /// Rows with their columns joined by `|`, NULL as `-`.
    func rows(_ sql: String, shard: Int = 0) async throws -> [String] {
        try await pools[shard].withConnection { connection in
            try connection.simpleRows(sql).map { row in
                try row.values.indices.map { try row.values[$0] == .null ? "-" : row.text($0) }.joined(separator: "|")
            }
        }
    }

    /// A message whose id lies in this shard.
    func message(in shard: Int, topic: String = "trade") -> Message {
        let map = ShardMap(shards: pools.count)
        var message = Messages.message(topic: topic)
        while map.shard(of: message.id) != shard { message = message.with(id: .random()) }
        return message
    }

    /// Every page of a filter.
    func all(_ filter: DeadLetterFilter, limit: Int) async throws -> [DeadLetter] {
        var found: [DeadLetter] = []
        var cursor: DeadLetterCursor?
        repeat {
            let page = try await letters.list(filter, after: cursor, limit: limit)
            #expect(page.letters.count <= limit)
            found += page.letters
            cursor = page.next
            if let next = cursor?.description {
                let read: DeadLetterCursor = try #require(DeadLetterCursor(next))
                cursor = read
            }
        } while cursor != nil
        return found
    }
}
