import KiteQCore
import Testing

@testable import KiteQStore
@testable import MariaDB

/// What a killed connection had under way is over when it is said to be gone, whatever others do meanwhile.
@Suite(.timeLimit(.minutes(2))) struct KillTests {
    private static let table = "CREATE TABLE killed (id BIGINT PRIMARY KEY, body LONGBLOB) ENGINE=InnoDB"

    private func withPool(
        _ kind: StoreUnderTest, _ body: @escaping @Sendable (MariaDBPool) async throws -> Void
    ) async throws {
        let configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        var limits = MariaDBPoolConfiguration()
        limits.maxConnections = 8
        try await running(MariaDBPool(configuration.shards[0], pool: limits, logger: quiet)) { pool in
            try await pool.withConnection { try $0.simple(Self.table) }
            try await body(pool)
        }
    }

    /// A transaction of many rows, whose rollback takes a while; left open on a connection that its pool has let go of only
    /// when `pool` ends, as that of a broker that stands still.
    private func withOpenTransaction(
        like pool: MariaDBPool, rows: Int, _ body: @escaping @Sendable (_ thread: UInt64) async throws -> Void
    ) async throws {
        let (begun, done) = (Signal<UInt64>(), Signal<Void>())
        var limits = MariaDBPoolConfiguration()
        limits.minConnections = 0
        try await running(MariaDBPool(pool.configuration, pool: limits, logger: quiet)) { other in
            async let holding: Void = other.withConnection { connection in
                try connection.begin()
                var batch = MariaDBBatch([.int, .bytes])
                for id in 0..<rows {
                    batch.append(Int64(id))
                    batch.append([UInt8](repeating: 0xFF, count: 200))
                }
                try connection.insert(into: "INSERT INTO killed (id, body)", batch)
                begun.send(connection.threadID)
                _ = done.wait()
            }
            do {
                try await body(try #require(await begun.value()))
            } catch {
                done.send(())
                throw error
            }
            done.send(())
            try await holding
        }
    }

    /// MySQL converts what others run to text when its list of connections is filtered; binary values fail there (1300, 3854).
    @Test(arguments: StoreUnderTest.servers) func binaryValuesElsewhereDoNotMatter(kind: StoreUnderTest) async throws {
        try await withPool(kind) { pool in
            let isOver = Signal<Void>()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for writer in 1...4 {
                    tasks.addTask {
                        var id = Int64(writer) * 1_000_000
                        while !isOver.isSent {
                            id += 1
                            let row: [MariaDBValue] = [
                                .int(id), .bytes([UInt8](repeating: 0x80 | UInt8(writer), count: 50_000)),
                            ]
                            _ = try await pool.withConnection { connection in
                                try connection.execute("INSERT INTO killed (id, body) VALUES (?, ?)", row)
                            }
                        }
                    }
                }
                defer { isOver.send(()) }
                for _ in 0..<20 {
                    try await withOpenTransaction(like: pool, rows: 10) { thread in
                        let (wasOpen, left, isOpen) = try await pool.withConnection { connection in
                            (
                                try connection.mayBeOpen(thread), try connection.kill([thread]),
                                try connection.mayBeOpen(thread)
                            )
                        }
                        #expect(wasOpen && left.isEmpty && !isOpen)
                    }
                }
                isOver.send(())
                try await tasks.waitForAll()
            }
        }
    }

    @Test(arguments: StoreUnderTest.servers) func rowLocksAreFreeWhenItIsGone(kind: StoreUnderTest) async throws {
        try await withPool(kind) { pool in
            for _ in 0..<3 {
                try await withOpenTransaction(like: pool, rows: 40_000) { thread in
                    try await pool.withConnection { connection in
                        #expect(throws: MariaDBError.self, "the row is locked, or this shows nothing") {
                            try connection.query("SELECT id FROM killed WHERE id = 39999 FOR UPDATE NOWAIT")
                        }
                        #expect(try connection.kill([thread], within: .seconds(30)).isEmpty)
                        // At once, and not one lock wait later.
                        let rows = try connection.query("SELECT id FROM killed WHERE id < 40000 FOR UPDATE NOWAIT")
                        #expect(rows.isEmpty)
                    }
                }
            }
        }
    }

    @Test(arguments: StoreUnderTest.servers) func whatDoesNotEndInTimeIsSaid(kind: StoreUnderTest) async throws {
        try await withPool(kind) { pool in
            try await withOpenTransaction(like: pool, rows: 40_000) { thread in
                try await pool.withConnection { connection in
                    #expect(try connection.kill([thread], within: .zero) == [thread])
                    let lost = MariaDBThread(
                        id: thread, serverIdentity: connection.serverIdentity, since: connection.thread.since)
                    #expect(throws: StoreError.self) { try connection.kill(lost, within: .zero) }
                    #expect(try connection.kill([thread, 4_000_000_000], within: .seconds(30)).isEmpty)
                    // A number that this connection has is that of a server's earlier life.
                    #expect(try connection.kill([connection.threadID]).isEmpty)
                    try connection.ping()
                }
            }
        }
    }

    /// A number means nothing to another server, nor to the same one after a restart: somebody else may have it.
    @Test(arguments: StoreUnderTest.servers) func numbersOfAnotherLifeAreLeftAlone(kind: StoreUnderTest) async throws {
        try await withPool(kind) { pool in
            try await withOpenTransaction(like: pool, rows: 1) { thread in
                try await pool.withConnection { connection in
                    let identity = connection.serverIdentity
                    let before = ContinuousClock.now - (try connection.uptime()) - .seconds(60)
                    try connection.kill(MariaDBThread(id: thread, serverIdentity: identity, since: before))
                    try connection.kill(
                        MariaDBThread(id: thread, serverIdentity: "another", since: connection.thread.since))
                    // As a proxy gave it.
                    try connection.kill(
                        MariaDBThread(
                            id: thread, serverIdentity: identity, since: connection.thread.since, isProven: false))
                    #expect(connection.thread.isProven)
                    #expect(throws: MariaDBError.self, "its row is locked still") {
                        try connection.query("SELECT id FROM killed WHERE id = 0 FOR UPDATE NOWAIT")
                    }
                    try connection.kill(
                        MariaDBThread(id: thread, serverIdentity: identity, since: connection.thread.since))
                    #expect(try connection.query("SELECT id FROM killed WHERE id = 0 FOR UPDATE NOWAIT").isEmpty)
                }
            }
        }
    }

    @Test(arguments: StoreUnderTest.servers) func aPoolKnowsTheNumbersOfItsConnections(kind: StoreUnderTest)
        async throws
    {
        try await withPool(kind) { pool in
            let thread = try await pool.withConnection { connection in
                // Busy now, and in the list.
                #expect(pool.threadIDs.contains(connection.threadID))
                return connection.threadID
            }
            #expect(pool.threadIDs.contains(thread))
            #expect(pool.threadIDs.count == pool.statistics.open)
            try await withOpenTransaction(like: pool, rows: 1) { other in
                #expect(!pool.threadIDs.contains(other))
                _ = try await pool.withConnection { try $0.kill([other]) }
            }
        }
    }
}
