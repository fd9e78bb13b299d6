import KiteQCore
import MariaDB
import Testing

@testable import KiteQStore

/// A broker that stands still in the middle of a transaction must not hold its row locks for ever.
@Suite(.timeLimit(.minutes(2))) struct IdleSessionTests {
    @Test(arguments: StoreUnderTest.servers) func theStoresSessionsHaveTheLimits(kind: StoreUnderTest) async throws {
        var configuration = try await kind.configuration()
        configuration.shards[0].database = nil
        try await running(MariaDBPool(configuration.shards[0], logger: quiet)) { pool in
            let (idle, inTransaction) = try await pool.withConnection { connection in
                (
                    try connection.query("SELECT @@session.wait_timeout")[0].int(0),
                    connection.server.kind == .mySQL
                        ? nil : try connection.query("SELECT @@session.idle_transaction_timeout")[0].int(0)
                )
            }
            #expect(idle == 60)
            #expect(inTransaction == (kind == .mySQL ? nil : 10))
        }
        // What the pool lets be idle is alive still.
        #expect(MariaDBPoolConfiguration().idleTimeout < .seconds(60))
        #expect(MariaDBPoolConfiguration().idleCheck < .seconds(60))
    }

    @Test(arguments: StoreUnderTest.servers) func theLocksOfOneThatStandsStillAreFreed(kind: StoreUnderTest)
        async throws
    {
        var configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        let others = configuration.shards[0]
        // Outside of a transaction MariaDB would wait for a minute.
        configuration.shards[0].sessionStatements.append(
            MySQLStoreConfiguration.sessionLimits(idle: kind == .mariaDB ? 60 : 1, idleInTransaction: 1))
        let stopped = MariaDBPool(configuration.shards[0], logger: quiet)
        let other = MariaDBPool(others, logger: quiet)
        let (locked, isOver) = (Signal<Void>(), Signal<Void>())
        try await running(stopped) { _ in
            try await running(other) { _ in
                try await other.withConnection { connection in
                    try connection.simple("CREATE TABLE idle (id INT PRIMARY KEY) ENGINE=InnoDB")
                    try connection.simple("INSERT INTO idle VALUES (1)")
                }
                async let standing: Void = stopped.withTransaction { connection in
                    _ = try connection.query("SELECT id FROM idle WHERE id = 1 FOR UPDATE")
                    locked.send(())
                    _ = isOver.wait()
                    try connection.execute("INSERT INTO idle VALUES (2)")
                }
                _ = try #require(await locked.value())
                await #expect(throws: MariaDBError.self) { try await lock(on: other) }
                let start = ContinuousClock.now
                try await eventually {
                    do {
                        try await lock(on: other)
                        return true
                    } catch let error as MariaDBError where error.code == 1205 || error.code == 3572 {
                        return false
                    }
                }
                #expect(ContinuousClock.now - start < .seconds(10))
                isOver.send(())
                // When it wakes it has lost: nothing of it is there, and it knows.
                do {
                    try await standing
                    Issue.record("the transaction of one that stood still went on")
                } catch let error as MariaDBError {
                    #expect(error.isConnectionLost && !error.isCommitOutcomeUnknown, "\(error)")
                }
                let rows = try await other.withConnection { try $0.query("SELECT COUNT(*) FROM idle")[0].int(0) }
                #expect(rows == 1)
                #expect(try await stopped.withConnection { try $0.query("SELECT 1")[0].int(0) } == 1)
            }
        }
    }

    private func lock(on pool: MariaDBPool) async throws {
        try await pool.withTransaction { _ = try $0.query("SELECT id FROM idle WHERE id = 1 FOR UPDATE NOWAIT") }
    }

    /// A pool that rests has its connections made anew before the server ends them, and no caller meets a dead one.
    @Test(arguments: StoreUnderTest.servers) func aPoolThatRestsHasNoDeadConnections(kind: StoreUnderTest)
        async throws
    {
        var configuration = try await kind.configuration()
        configuration.shards[0].database = nil
        configuration.shards[0].sessionStatements.append(MySQLStoreConfiguration.sessionLimits(idle: 2))
        var limits = MariaDBPoolConfiguration()
        limits.idleTimeout = .seconds(1)
        limits.minConnections = 2
        try await running(MariaDBPool(configuration.shards[0], pool: limits, logger: quiet)) { pool in
            try await eventually { pool.statistics.idle == 2 }
            let before = Set(pool.threadIDs)
            // Longer than the server waits for any of them.
            let end = ContinuousClock.now + .seconds(4)
            try await eventually { ContinuousClock.now > end }
            #expect(before.isDisjoint(with: pool.threadIDs))
            try await eventually { pool.statistics.idle == 2 }
            for _ in 0..<4 { try await pool.withConnection { try $0.simple("DO 1") } }
            #expect(pool.statistics.failedConnects == 0)
        }
    }
}
