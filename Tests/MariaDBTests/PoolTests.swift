import Testing

@testable import MariaDB

@Suite struct PoolTests {
    private func limits(_ change: (inout MariaDBPoolConfiguration) -> Void) -> MariaDBPoolConfiguration {
        var limits = MariaDBPoolConfiguration()
        limits.minConnections = 0
        change(&limits)
        return limits
    }

    /// Takes a connection until the gate opens; returns when it is taken.
    private func hold(_ pool: MariaDBPool, _ gate: Gate, in tasks: inout ThrowingTaskGroup<Void, any Error>)
        async throws
    {
        let taken = Gate()
        tasks.addTask {
            try await pool.withConnection { _ in
                taken.open()
                gate.block()
            }
        }
        try await taken.wait()
    }

    @Test("never more connections than its limit", arguments: TestServer.available)
    func maxConnections(_ server: TestServer) async throws {
        try await server.withPool(limits { $0.maxConnections = 3 }) { pool in
            let counts = Shared((now: 0, most: 0))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<60 {
                    tasks.addTask {
                        try await pool.withConnection { db in
                            counts.withLock {
                                $0.now += 1
                                $0.most = max($0.most, $0.now)
                            }
                            _ = try db.query("SELECT SLEEP(0.005)")
                            counts.withLock { $0.now -= 1 }
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            #expect(counts.withLock { $0.most } == 3)
            #expect(pool.statistics == .init(open: 3, idle: 3, waiting: 0, failedConnects: 0))
        }
    }

    @Test("a caller waits so long, and so many may")
    func waiting() async throws {
        let limits = limits {
            $0.maxConnections = 1
            $0.waitTimeout = .milliseconds(300)
            $0.maxWaiters = 1
        }
        try await TestServer.mariaDB.withPool(limits) { pool in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                let gate = Gate()
                try await hold(pool, gate, in: &tasks)
                let start = ContinuousClock.now
                async let first: Void = pool.withConnection { _ in }
                try await eventually { pool.statistics.waiting == 1 }
                let refused = await #expect(throws: MariaDBError.self) { try await pool.withConnection { _ in } }
                #expect(refused?.message == "too many callers wait for a database connection already")
                do {
                    try await first
                    Issue.record("there was a connection")
                } catch let error as MariaDBError {
                    #expect(error.message.hasPrefix("all database connections were busy: none was free within 0.3"))
                    #expect(error.isRetriable)
                }
                #expect(ContinuousClock.now - start >= .milliseconds(300))
                gate.open()
                try await tasks.waitForAll()
            }
            try await pool.withConnection { try $0.ping() }
        }
    }

    @Test("a cancelled caller leaves the queue at once")
    func cancellation() async throws {
        try await TestServer.mariaDB.withPool(limits { $0.maxConnections = 1 }) { pool in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                let gate = Gate()
                try await hold(pool, gate, in: &tasks)
                let waiter = Task { try await pool.withConnection { _ in } }
                try await eventually { pool.statistics.waiting == 1 }
                waiter.cancel()
                await #expect(throws: CancellationError.self) { try await waiter.value }
                #expect(pool.statistics.waiting == 0)
                // One that was cancelled before it asked.
                let early = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await pool.withConnection { _ in }
                }
                await #expect(throws: CancellationError.self) { try await early.value }
                gate.open()
                try await tasks.waitForAll()
            }
            try await pool.withConnection { try $0.ping() }
        }
    }

    @Test("many callers come, go and are cancelled; each is answered")
    func storm() async throws {
        try await TestServer.mariaDB.withPool(limits { $0.maxConnections = 4 }) { pool in
            let answered = Shared(0)
            await withTaskGroup(of: Void.self) { tasks in
                for index in 0..<400 {
                    tasks.addTask {
                        let call = Task {
                            let id = try await pool.withConnection { try $0.query("SELECT ?", [.int(index)])[0].int(0) }
                            #expect(id == Int64(index))
                        }
                        if index % 3 == 0 { call.cancel() }
                        switch await call.result {
                        case .success: break
                        case .failure(let error): #expect(error is CancellationError)
                        }
                        answered.withLock { $0 += 1 }
                    }
                }
            }
            #expect(answered.withLock { $0 } == 400)
            #expect(pool.statistics.waiting == 0)
            #expect(pool.statistics.open == pool.statistics.idle)
        }
    }

    @Test("connections end after their life time, and when they were idle for long")
    func lifetime() async throws {
        let short = limits { $0.maxLifetime = .milliseconds(200) }
        try await TestServer.mariaDB.withPool(short) { pool in
            let first = try await pool.withConnection { $0.threadID }
            try await eventually { pool.statistics.open == 0 }
            #expect(try await pool.withConnection { $0.threadID } != first)
        }
        let idle = limits {
            $0.minConnections = 1
            $0.idleTimeout = .milliseconds(200)
        }
        try await TestServer.mariaDB.withPool(idle) { pool in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                let gate = Gate()
                for _ in 0..<3 { try await hold(pool, gate, in: &tasks) }
                #expect(pool.statistics.open == 3)
                gate.open()
                try await tasks.waitForAll()
            }
            try await eventually { pool.statistics.open == 1 }
        }
    }

    @Test("one that died while it was idle is replaced before it is given out")
    func staleConnection() async throws {
        let other = MariaDBPool(try await TestServer.mariaDB.configuration, logger: quiet)
        try await running(other) { other in
            try await TestServer.mariaDB.withPool(limits { $0.idleCheck = .zero }) { pool in
                let victim = try await pool.withConnection { $0.threadID }
                try await other.withConnection { try $0.simple("KILL \(victim)") }
                try await eventually {
                    try await other.withConnection { db in
                        try !db.processes().contains { $0.id == victim }
                    }
                }
                let next = try await pool.withConnection { db in
                    try db.execute("DO 1")
                    return db.threadID
                }
                #expect(next != victim)
            }
        }
    }

    @Test("run() closes every connection before it returns", arguments: TestServer.available)
    func closing(_ server: TestServer) async throws {
        let user = "closing\(server.rawValue)"
        let root = MariaDBPool(try await server.configuration, logger: quiet)
        try await running(root) { root in
            try await root.withConnection { db in
                try db.simple("CREATE USER \(user) IDENTIFIED BY 'x'")
            }
            var configuration = try await server.configuration
            configuration.user = user
            configuration.password = "x"
            let pool = MariaDBPool(configuration, pool: limits { $0.minConnections = 4 }, logger: quiet)
            let (taken, gate) = (Gate(), Gate())
            async let call: Void = {
                try await taken.wait()
                // Busy while the pool closes: it is waited for.
                let start = ContinuousClock.now
                try await eventually { pool.statistics.open == 1 || ContinuousClock.now - start > .seconds(5) }
                gate.open()
            }()
            try await running(pool) { pool in
                try await eventually { pool.statistics.idle == 4 }
                let busy = Task {
                    try await pool.withConnection { _ in
                        taken.open()
                        gate.block()
                    }
                }
                try await taken.wait()
                _ = busy
            }
            try await call
            #expect(pool.statistics == .init(open: 0, idle: 0, waiting: 0, failedConnects: 0))
            let closed = await #expect(throws: MariaDBError.self) { try await pool.withConnection { _ in } }
            #expect(closed?.message == "the connection pool is closed")
            // The server hears of it a moment later.
            try await eventually {
                try await root.withConnection { db in
                    try !db.processes().contains { $0.user == user }
                }
            }
            try await root.withConnection { try $0.simple("DROP USER \(user)") }
        }
    }

    @Test("a connection keeps so many statements", arguments: TestServer.available)
    func statementCache(_ server: TestServer) async throws {
        try await server.withPool(limits { $0.maxConnections = 1 }, change: { $0.statementCacheSize = 5 }) { pool in
            try await pool.withConnection { db in
                func count(_ name: String, _ db: isolated MariaDBConnection) throws -> Int64 {
                    try db.simpleRows("SHOW SESSION STATUS LIKE 'Com_stmt_\(name)'")[0].int(1)
                }
                for round in 0..<3 {
                    for number in 0..<20 { #expect(try db.query("SELECT \(number)")[0].int(0) == Int64(number)) }
                    #expect(try count("prepare", db) == Int64(20 * (round + 1)))
                    #expect(try count("prepare", db) - count("close", db) == 5)
                }
                // Those that are kept are not prepared again.
                let before = try count("prepare", db)
                for number in 15..<20 { _ = try db.query("SELECT \(number)") }
                #expect(try count("prepare", db) == before)
                // One that could not be prepared is not kept.
                #expect(throws: MariaDBError.self) { try db.query("SELECT nothing") }
                _ = try db.query("SELECT 15")
                #expect(try count("prepare", db) - before <= 1)
            }
        }
    }
}

extension PoolTests {
    /// Nobody looks at this pool now and then: it does not run.
    @Test("who waits has an alarm of his own", .timeLimit(.minutes(1)))
    func alarm() async throws {
        let pool = MariaDBPool(
            MariaDBConfiguration(servers: [.tcp(host: "127.0.0.1", port: 1)], user: "nobody", password: ""),
            logger: quiet)
        let error = await #expect(throws: MariaDBError.self) {
            try await pool.withConnection(within: .milliseconds(50)) { _ in }
        }
        #expect(error?.isConnectionLost == true && pool.statistics.waiting == 0)
        let late = await #expect(throws: MariaDBError.self) {
            try await pool.withConnection(within: .milliseconds(-50)) { _ in }
        }
        #expect(late?.message.contains("in no time, for none was left") == true)
    }

    /// A handler of cancellation runs under a lock of its task, and so must not wait for one under which tasks are woken.
    @Test("a pool that is closed while it connects ends", .timeLimit(.minutes(1)))
    func closedWhileItConnects() async throws {
        // Nobody listens there: connections fail at once, and are tried again.
        let nobody = MariaDBConfiguration(servers: [.tcp(host: "127.0.0.1", port: 1)], user: "nobody", password: "")
        for round in 0..<10_000 {
            let pool = MariaDBPool(nobody, logger: quiet)
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await pool.run() }
                for _ in 0..<4 {
                    tasks.addTask {
                        // Its failure is the other tests' matter.
                        _ = await Task { try await pool.withConnection { _ in } }.result
                    }
                }
                for _ in 0..<round % 60 { await Task.yield() }
                tasks.cancelAll()
            }
            #expect(pool.statistics.open == 0 && pool.statistics.waiting == 0)
        }
    }
}
