import Foundation
import KiteQCore
import LocalServers
import Logging
import MariaDB
import NIOCore
import Testing

@testable import KiteQStore

/// The stores that pass the same checks: in memory, on MariaDB and on MySQL. One server of each kind for the whole process.
enum StoreUnderTest: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory, mariaDB, mySQL

    var testDescription: String { rawValue }

    static let available: [StoreUnderTest] = [.memory] + servers

    static let servers: [StoreUnderTest] = {
        if LocalMySQL.root != nil { return [.mariaDB, .mySQL] }
        print("The MySQL part of these tests is skipped: KITEQ_MYSQL_ROOT is not set.")
        return [.mariaDB]
    }()

    private static let mariaDBServer = Task {
        let server = try LocalMariaDB(
            dataDirectory: try LocalServers.temporaryFolder("mariadb"),
            options: ["--innodb-buffer-pool-size=256M", "--max-allowed-packet=16M"])
        try await server.start()
        return (server as any Sendable, server.port)
    }

    private static let mySQLServer = Task {
        let server = try LocalMySQL(
            root: try #require(LocalMySQL.root), dataDirectory: try LocalServers.temporaryFolder("mysql"),
            options: ["--innodb-buffer-pool-size=256M", "--max-allowed-packet=16M"])
        try await server.start()
        return (server as any Sendable, server.port)
    }

    var port: Int {
        get async throws {
            switch self {
            case .memory: 0
            case .mariaDB: try await Self.mariaDBServer.value.1
            case .mySQL: try await Self.mySQLServer.value.1
            }
        }
    }

    /// Databases of the test's own, not migrated.
    func configuration(shards: Int = 1, user: String = "root", password: String = "") async throws
        -> MySQLStoreConfiguration
    {
        let name = "t\(UInt32.random(in: .min ... .max))"
        return try MySQLStoreURL.configuration(
            "mysql://\(user)@127.0.0.1:\(try await port)/\(name)?shards=\(shards)", password: password)
    }

    /// Runs `body` with a fresh store, and a way to open further views of it: other brokers, or later lives of one.
    func withStore(
        _ body: @escaping @Sendable (any MessageStore, @escaping @Sendable () -> any MessageStore) async throws -> Void
    ) async throws {
        let open: @Sendable () -> any MessageStore
        if self == .memory {
            let store = InMemoryMessageStore(shards: 1)
            open = { store.session() }
        } else {
            let configuration = try await configuration()
            _ = try await Migrator(configuration, logger: quiet).run()
            open = { MySQLMessageStore(configuration, logger: quiet) }
        }
        try await running(open()) { store in
            _ = try await store.join(as: BrokerIdentity(name: "broker", address: "127.0.0.1:1"))
            try await body(store, open)
        }
    }
}

let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

/// Runs `body` while the store runs.
func running(_ store: any MessageStore, _ body: (any MessageStore) async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await store.run() }
        defer { tasks.cancelAll() }
        try await body(store)
    }
}

/// Messages with seqs that rise.
struct Messages {
    private var next: Int64

    init(from first: Int64 = 1_000) {
        next = first
    }

    static func message(_ body: String = "body", topic: String = "trade") -> Message {
        Message(
            id: .random(), kind: .string, topic: topic, messageType: "paid", publisherGroup: "p-pay",
            expiresAt: 4_000_000_000_000, deliverLimit: 7, publishedAt: 1_700_000_000_123,
            header: ByteBuffer(string: "header"),
            body: ByteBuffer(string: body))
    }

    mutating func insertion(_ groups: [String]?, _ message: Message = Messages.message()) -> Insertion {
        next += 1
        return Insertion(
            seq: next, message: message, route: groups.map { Route($0.map { .init(group: $0, persistent: true) }) },
            connectionGroup: "p-connection", firstCheckAt: 5_000)
    }
}

extension Message {
    /// Another one, with these in place of its own.
    func with(
        id: MessageID? = nil, kind: Kind? = nil, topic: String? = nil, messageType: String? = nil,
        publisherGroup: String? = nil, publishedAt: Timestamp? = nil, expiresAt: Timestamp? = nil,
        body: ByteBuffer? = nil, extra: ByteBuffer? = nil
    ) -> Message {
        Message(
            id: id ?? self.id, kind: kind ?? self.kind, topic: topic ?? self.topic,
            messageType: messageType ?? self.messageType, publisherGroup: publisherGroup ?? self.publisherGroup,
            expiresAt: expiresAt ?? self.expiresAt, deliverLimit: deliverLimit,
            publishedAt: publishedAt ?? self.publishedAt, header: header, body: body ?? self.body,
            extra: extra ?? self.extra)
    }
}

extension MessageStore {
    func load(_ seqs: [Int64], for group: String, shard: Int) async throws -> [StoredMessage] {
        try await load(seqs, for: group, shard: shard, maxBytes: .max).messages
    }

    /// The backlog's seqs, also of dead brokers.
    func fresh(of group: String, after: Int64, limit: Int) async throws -> [Int64] {
        try await freshBacklog(of: group, shard: 0, after: after, limit: limit, includingDead: true).map(\.seq)
    }

    /// Of these messages those that are owed to some group still, which takes them.
    func remaining(_ seqs: [Int64]) async throws -> [Int64] {
        var found: Set<Int64> = []
        for group in ["a", "b", "c"] { found.formUnion(try await load(seqs, for: group, shard: 0).map(\.seq)) }
        return found.sorted()
    }
}
