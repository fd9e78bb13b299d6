import KiteQCore
import LocalServers
import MariaDB
import Testing

@testable import KiteQStore

/// A server whose storage is full: InnoDB has one file here for all tables, which may not grow past 40 MiB, and so refuses
/// with 1114.
@Suite(.timeLimit(.minutes(3))) struct FullDiskTests {
    private static let options = [
        "--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend:max:40M",
    ]

    @Test(arguments: StoreUnderTest.servers) func insertsAreRefusedUntilThereIsRoom(kind: StoreUnderTest)
        async throws
    {
        let (port, server) = try await start(kind)
        let configuration = try MySQLStoreURL.configuration("mysql://root@127.0.0.1:\(port)/kite?shards=1")
        _ = try await Migrator(configuration, logger: quiet).run()
        try await running(MariaDBPool(configuration.shards[0], logger: quiet)) { pool in
            // What an administrator can give up. To delete rows makes no room by itself: InnoDB needs some to purge them.
            try await pool.withConnection { connection in
                try connection.simple("CREATE TABLE ballast (body LONGBLOB) ENGINE=InnoDB")
                for _ in 0..<16 { try connection.simple("INSERT INTO ballast VALUES (REPEAT('x', 524288))") }
            }
            try await running(MySQLMessageStore(configuration, logger: quiet)) { store async throws in
                _ = try await store.join(as: BrokerIdentity(name: "broker", address: "b:1"))
                var messages = Messages()
                let stored = try await fill(store, &messages)
                #expect(stored.count > 1_000)
                // What was acknowledged is there, and nothing else.
                #expect(try await store.fresh(of: "a", after: 0, limit: 100_000) == stored)
                #expect(try await store.load(stored, for: "a", shard: 0).map(\.seq).sorted() == stored)

                try await pool.withConnection { try $0.simple("DROP TABLE ballast") }
                try await eventually {
                    do {
                        return try await store.insert([messages.insertion(["a"], Self.message())], shard: 0) == [
                            .stored
                        ]
                    } catch let error as StoreError where error.code == .refusesWrites {
                        return false
                    }
                }
                #expect(try await store.settle(stored.map { Settlement(seq: $0) }, shard: 0).isEmpty)
            }
        }
        withExtendedLifetime(server) {}
    }

    /// - Returns: what was stored until the store refused.
    private func fill(_ store: any MessageStore, _ messages: inout Messages) async throws -> [Int64] {
        var stored: [Int64] = []
        // A MiB each, many more than there is room for.
        for _ in 0..<60 {
            let batch = (0..<256).map { _ in messages.insertion(["a"], Self.message()) }
            do {
                #expect(try await store.insert(batch, shard: 0).allSatisfy { $0 == .stored })
                stored += batch.map(\.seq)
            } catch let error as StoreError {
                #expect(error.code == .refusesWrites && !error.isOutcomeUnknown, "\(error)")
                let cause = error.underlying as? MariaDBError
                #expect(cause?.isDiskFull == true && cause?.isRetriable == false, "\(error)")
                return stored
            }
        }
        Issue.record("the store took 60 MiB into 40")
        return stored
    }

    private func start(_ kind: StoreUnderTest) async throws -> (port: Int, server: any Sendable) {
        let folder = try LocalServers.temporaryFolder("full")
        guard kind == .mySQL else {
            // With the undo log in the same file a table could not even be dropped.
            let server = try LocalMariaDB(
                dataDirectory: folder, options: Self.options + ["--innodb-undo-tablespaces=2"])
            try await server.start()
            return (server.port, server)
        }
        let server = try LocalMySQL(
            root: try #require(LocalMySQL.root), dataDirectory: folder, options: Self.options + ["--skip-log-bin"])
        try await server.start()
        return (server.port, server)
    }

    /// 4 KiB, which InnoDB keeps beside the row's key: larger ones have pages of their own, and MariaDB, which takes the very
    /// last page for those, is then unable to roll back, and ends itself.
    private static func message() -> Message { Messages.message(String(repeating: "x", count: 4 << 10)) }
}
