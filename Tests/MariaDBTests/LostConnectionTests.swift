import Foundation
import LocalServers
import Synchronization
import Testing

@testable import MariaDB

@Suite struct LostConnectionTests {
    @Test("a call ends at the read timeout", arguments: TestServer.available)
    func readTimeout(_ server: TestServer) async throws {
        try await server.withPool(change: { $0.readTimeout = .seconds(1) }) { pool in
            let start = ContinuousClock.now
            let error = await #expect(throws: MariaDBError.self) {
                try await pool.withConnection { _ = try $0.query("SELECT SLEEP(60)") }
            }
            let took = ContinuousClock.now - start
            #expect(error?.isConnectionLost == true)
            #expect(error?.isCommitOutcomeUnknown == false)
            #expect(took < .seconds(50), "it did not wait for the answer")
            try await pool.withConnection { try $0.ping() }
        }
    }

    @Test("KILL from another connection", arguments: TestServer.available)
    func killed(_ server: TestServer) async throws {
        try await server.withPool { pool in
            // Idle when it is killed: the caller gets a lost connection, the next one a new one.
            let victim = try await pool.withConnection { $0.threadID }
            let (other, otherPool) = try await killer(server)
            try await running(otherPool) { _ in
                try await other(victim)
                let error = await #expect(throws: MariaDBError.self) {
                    try await pool.withConnection { db in
                        #expect(db.threadID == victim)
                        try db.execute("DO 1")
                    }
                }
                #expect(error?.isConnectionLost == true)
                #expect(error?.threadID == victim)
                #expect(try await pool.withConnection { $0.threadID } != victim)

                // At work when it is killed.
                let asleep = Gate()
                async let call: Void = pool.withConnection { db in
                    asleep.open()
                    _ = try db.query("SELECT SLEEP(20)")
                }
                try await asleep.wait()
                try await eventually {
                    try await otherPool.withConnection { db in
                        guard let id = try db.processes().first(where: { $0.statement == "SELECT SLEEP(20)" })?.id
                        else { return false }
                        try db.simple("KILL \(id)")
                        return true
                    }
                }
                do {
                    try await call
                    Issue.record("the killed call returned")
                } catch let error as MariaDBError {
                    #expect(error.isConnectionLost || error.code == 1317, "\(error)")
                }
                #expect(try await pool.withConnection { try $0.query("SELECT 1")[0].int(0) } == 1)
            }
        }
    }

    @Test(
        "writing to a TLS connection that the server has closed is an error, not a signal",
        arguments: TestServer.available)
    func killedTLS(_ server: TestServer) async throws {
        try await server.withPool(change: { $0.tls = .required }) { pool in
            let (kill, otherPool) = try await killer(server)
            try await running(otherPool) { _ in
                for _ in 0..<10 {
                    let victim = try await pool.withConnection { db in
                        for number in 0..<5 { _ = try db.query("SELECT \(number), ?", [1]) }
                        return db.threadID
                    }
                    try await kill(victim)
                    let error = await #expect(throws: MariaDBError.self) {
                        try await pool.withConnection { db in
                            let large = MariaDBValue.bytes([UInt8](repeating: 1, count: 1 << 20))
                            _ = try db.query("SELECT LENGTH(?)", [large])
                        }
                    }
                    #expect(error?.isConnectionLost == true, "\(String(describing: error))")
                    #expect(error?.isRetriable == true)
                }
            }
        }
    }

    @Test(
        "a connection that is cut ends what is under way on it, and what comes after, as one that was lost",
        arguments: TestServer.available, [MariaDBConfiguration.TLS.off, .required])
    func cut(_ server: TestServer, _ tls: MariaDBConfiguration.TLS) async throws {
        try await server.withPool(change: { ($0.tls, $0.readTimeout) = (tls, .seconds(3_600)) }) { pool in
            for statement in ["SELECT SLEEP(3600)", "SELECT LENGTH(?)"] {
                let (busy, cut) = (Gate(), Gate())
                let line = Mutex<MariaDBConnection?>(nil)
                let isUnderWay = statement.contains("SLEEP")
                let answer = Task {
                    try await pool.withConnection { db in
                        let connection: MariaDBConnection = db
                        line.withLock { $0 = connection }
                        busy.open()
                        if !isUnderWay { cut.block() }
                        let large = MariaDBValue.bytes([UInt8](repeating: 1, count: 1 << 20))
                        _ = try db.query(statement, isUnderWay ? [] : [large])
                    }
                }
                try await busy.wait()
                if isUnderWay {
                    // As root, who sees all.
                    let (_, root) = try await killer(server)
                    try await running(root) { root in
                        try await eventually {
                            try await root.withConnection { db in
                                try db.processes().contains { $0.statement == statement }
                            }
                        }
                    }
                }
                line.withLock { $0 }?.cut()
                cut.open()
                let error = await #expect(throws: MariaDBError.self) { try await answer.value }
                #expect(error?.isConnectionLost == true, "\(String(describing: error))")
            }
            #expect(try await pool.withConnection { try $0.query("SELECT 1")[0].int(0) } == 1)
        }
    }

    private func killer(_ server: TestServer) async throws -> (@Sendable (UInt64) async throws -> Void, MariaDBPool) {
        let pool = MariaDBPool(try await server.configuration, logger: quiet)
        return (
            { thread in
                try await pool.withConnection { try $0.simple("KILL \(thread)") }
                try await eventually {
                    try await pool.withConnection { db in
                        try !db.processes().contains { $0.id == thread }
                    }
                }
            }, pool
        )
    }

    @Test("a server that dies and comes back", .timeLimit(.minutes(2)))
    func serverDies() async throws {
        let folder = try LocalServers.temporaryFolder("mariadb")
        let server = try LocalMariaDB(dataDirectory: folder)
        try await server.start()
        var configuration = MariaDBConfiguration(
            servers: [.tcp(host: "127.0.0.1", port: server.port)], user: "root", password: "")
        configuration.readTimeout = .seconds(1)
        configuration.connectTimeout = .seconds(1)
        var limits = MariaDBPoolConfiguration()
        limits.waitTimeout = .milliseconds(300)
        limits.maxBackoff = .milliseconds(200)
        try await running(MariaDBPool(configuration, pool: limits, logger: quiet)) { pool in
            try await eventually { try await Self.answers(pool) }
            try await pool.withConnection { db in
                try db.simple("CREATE DATABASE d")
                try db.simple("CREATE TABLE d.t (id INT PRIMARY KEY) ENGINE=InnoDB")
            }
            // Killed in the middle of a transaction.
            let (begun, dead) = (Gate(), Gate())
            async let call: Void = pool.withTransaction { db in
                try db.execute("INSERT INTO d.t VALUES (1)")
                begun.open()
                dead.block()
                try db.execute("INSERT INTO d.t VALUES (2)")
            }
            try await begun.wait()
            await server.kill()
            dead.open()
            do {
                try await call
                Issue.record("the call on a dead server returned")
            } catch let error as MariaDBError {
                #expect(error.isConnectionLost)
                #expect(!error.isCommitOutcomeUnknown)
                #expect(error.isRetriable)
            }
            // While it is away, callers are told why, in time.
            let start = ContinuousClock.now
            let away = await #expect(throws: MariaDBError.self) { try await pool.withConnection { try $0.ping() } }
            #expect(ContinuousClock.now - start < .seconds(3))
            #expect(away?.isConnectionLost == true)
            #expect(
                away?.message.contains("cannot connect to 127.0.0.1:\(server.port)") == true,
                "\(String(describing: away))")

            try await server.start()
            try await eventually { try await Self.answers(pool) }
            #expect(try await pool.withConnection { try $0.query("SELECT COUNT(*) FROM d.t")[0].int(0) } == 0)

            // A server that hangs at COMMIT: whether it is committed, only the server knows.
            let pid = try #require(server.pid)
            let error = await #expect(throws: MariaDBError.self) {
                try await pool.withTransaction { db in
                    try db.execute("INSERT INTO d.t VALUES (3)")
                    try Self.pause(pid)
                }
            }
            kill(pid, SIGCONT)
            #expect(error?.isConnectionLost == true)
            #expect(error?.isCommitOutcomeUnknown == true)
            #expect(error?.isRetriable == false)
            #expect(error?.threadID != nil)

            // So is a statement that is its own transaction.
            try await eventually { try await Self.answers(pool) }
            let alone = await #expect(throws: MariaDBError.self) {
                try await pool.withConnection { db in
                    try Self.pause(pid)
                    try db.execute("INSERT INTO d.t VALUES (4)")
                }
            }
            kill(pid, SIGCONT)
            #expect(alone?.isCommitOutcomeUnknown == true)
            try await eventually { try await Self.answers(pool) }

            // An orderly shutdown, and a start.
            await server.stop()
            try await server.start()
            try await eventually { try await Self.answers(pool) }
        }
        await server.stop()
        try FileManager.default.removeItem(at: folder)
    }

    /// Stops a process, and returns when each of its threads stands still: kill(2) returns before that.
    private static func pause(_ pid: Int32) throws {
        kill(pid, SIGSTOP)
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
            let stopped = threads.count { thread in
                // One that ended meanwhile does not count as stopped: the list is read again.
                let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/stat", encoding: .utf8)
                return text?.split(separator: ") ").last?.hasPrefix("T") == true
            }
            if stopped == threads.count { return }
            guard ContinuousClock.now < deadline else { throw NotInTime() }
            usleep(1_000)
        }
    }

    private static func answers(_ pool: MariaDBPool) async throws -> Bool {
        do {
            try await pool.withConnection { try $0.ping() }
            return true
        } catch let error as MariaDBError where error.isConnectionLost {
            return false
        }
    }

    @Test("the next server of the list takes over, and stays", .timeLimit(.minutes(2)))
    func failover() async throws {
        let address = try await TestServer.mariaDB.address
        let folder = try LocalServers.temporaryFolder("mariadb")
        let first = try LocalMariaDB(dataDirectory: folder)
        try await first.start()
        var configuration = MariaDBConfiguration(
            servers: [.tcp(host: "127.0.0.1", port: first.port), .tcp(host: "127.0.0.1", port: address.port)],
            user: "root", password: "")
        configuration.connectTimeout = .seconds(1)
        try await running(MariaDBPool(configuration, logger: quiet)) { pool in
            let one = try await pool.withConnection { $0.serverIdentity }
            await first.kill()
            let error = await #expect(throws: MariaDBError.self) { try await pool.withConnection { try $0.ping() } }
            #expect(error?.isConnectionLost == true)
            let two = try await pool.withConnection { $0.serverIdentity }
            #expect(one != two)

            // The first is back: the second has what was written since, and keeps the connections while it takes writes.
            try await first.start()
            let (held, more) = (Gate(), Gate())
            async let busy = pool.withConnection { db in
                held.open()
                more.block()
                return db.serverIdentity
            }
            try await held.wait()
            #expect(try await pool.withConnection { $0.serverIdentity } == two)
            more.open()
            #expect(try await busy == two)
        }
        await first.stop()
        try FileManager.default.removeItem(at: folder)
    }
}
