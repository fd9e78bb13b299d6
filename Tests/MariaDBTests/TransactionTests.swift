import MariaDB
import Testing

@Suite struct TransactionTests {
    static let table = "CREATE TABLE t (id INT PRIMARY KEY, a INT) ENGINE=InnoDB"

    @Test("a transaction commits, or leaves nothing", arguments: TestServer.available)
    func commitAndRollback(_ server: TestServer) async throws {
        try await server.withPool { pool in
            try await pool.withConnection { try $0.simple(Self.table) }
            let sum = try await pool.withTransaction { db in
                try db.execute("INSERT INTO t VALUES (1, 10)")
                try db.execute("INSERT INTO t VALUES (2, 20)")
                return try db.query("SELECT SUM(a) FROM t")[0].int(0)
            }
            #expect(sum == 30)
            struct Regret: Error {}
            await #expect(throws: Regret.self) {
                try await pool.withTransaction { db in
                    try db.execute("DELETE FROM t")
                    throw Regret()
                }
            }
            #expect(try await pool.withConnection { try $0.query("SELECT COUNT(*) FROM t")[0].int(0) } == 2)
            #expect(pool.statistics.open == 1)
        }
    }

    @Test("a connection with an open transaction is not given to the next", arguments: TestServer.available)
    func openTransaction(_ server: TestServer) async throws {
        var limits = MariaDBPoolConfiguration()
        limits.maxConnections = 1
        try await server.withPool(limits) { pool in
            try await pool.withConnection { try $0.simple(Self.table) }
            let first = try await pool.withConnection { db in
                try db.begin()
                try db.execute("INSERT INTO t VALUES (1, 10)")
                return db.threadID
            }
            let (second, count) = try await pool.withConnection { db in
                (db.threadID, try db.query("SELECT COUNT(*) FROM t")[0].int(0))
            }
            #expect(first != second)
            #expect(count == 0)
        }
    }

    @Test("of two that deadlock one is told so, and may try again", arguments: TestServer.available)
    func deadlock(_ server: TestServer) async throws {
        try await server.withPool { pool in
            try await pool.withConnection { db in
                try db.simple(Self.table)
                try db.simple("INSERT INTO t VALUES (1, 0), (2, 0)")
            }
            let gates = [Gate(), Gate()]
            let errors = await withTaskGroup(of: MariaDBError?.self) { tasks in
                for me in 0...1 {
                    tasks.addTask {
                        do {
                            try await pool.withTransaction { db in
                                try db.execute("UPDATE t SET a = a + 1 WHERE id = ?", [.int(1 + me)])
                                gates[me].open()
                                gates[1 - me].block()
                                try db.execute("UPDATE t SET a = a + 1 WHERE id = ?", [.int(2 - me)])
                            }
                            return nil
                        } catch {
                            return error as? MariaDBError
                        }
                    }
                }
                return await tasks.reduce(into: []) { $0.append($1) }
            }
            let failed = errors.compactMap { $0 }
            #expect(failed.count == 1)
            #expect(failed.first?.isDeadlock == true)
            #expect(failed.first?.isRetriable == true)
            #expect(failed.first?.isConnectionLost == false)
            #expect(try await pool.withConnection { try $0.query("SELECT SUM(a) FROM t")[0].int(0) } == 2)
            #expect(pool.statistics.open == pool.statistics.idle)
        }
    }

    @Test("a lock not had in time is flagged", arguments: TestServer.available)
    func lockWait(_ server: TestServer) async throws {
        let statements = [
            "SET SESSION innodb_lock_wait_timeout = 1", "SET SESSION transaction_isolation = 'READ-COMMITTED'",
        ]
        let wanted = server == .mariaDB ? Array(statements.prefix(1)) : statements
        try await server.withPool(change: { $0.sessionStatements = wanted }) { pool in
            try await pool.withConnection { db in
                try db.simple(Self.table)
                try db.simple("INSERT INTO t VALUES (1, 0)")
            }
            let (locked, done) = (Gate(), Gate())
            async let holder: Void = pool.withTransaction { db in
                try db.execute("UPDATE t SET a = 1")
                locked.open()
                done.block()
            }
            try await locked.wait()
            let error = await #expect(throws: MariaDBError.self) {
                try await pool.withTransaction { _ = try $0.execute("UPDATE t SET a = 2") }
            }
            done.open()
            try await holder
            #expect(error?.isLockWaitTimeout == true)
            #expect(error?.isRetriable == true)
            #expect(try await pool.withConnection { try $0.query("SELECT a FROM t")[0].int(0) } == 1)
        }
    }
}
