import Foundation
import KiteQCore
import MariaDB
import TestSupport
import Testing

@testable import KiteQStore

/// A network that drops packets: nobody is told, so that each call must end by itself.
@Suite(.timeLimit(.minutes(2))) struct SilentServerTests {
    private func withProxy(
        _ kind: StoreUnderTest, pool limits: MariaDBPoolConfiguration = .init(), tls: MariaDBConfiguration.TLS = .off,
        _ body: @escaping @Sendable (MariaDBPool, CuttingProxy) async throws -> Void
    ) async throws {
        let proxy = CuttingProxy(server: try await kind.port)
        var database = MariaDBConfiguration(
            servers: [.tcp(host: "127.0.0.1", port: try await proxy.start())], user: "root", password: "")
        (database.connectTimeout, database.readTimeout, database.writeTimeout) = (.seconds(1), .seconds(2), .seconds(2))
        database.tls = tls
        try await running(MariaDBPool(database, pool: limits, logger: quiet)) { try await body($0, proxy) }
        try await proxy.stop()
    }

    private func limits(_ change: (inout MariaDBPoolConfiguration) -> Void) -> MariaDBPoolConfiguration {
        var limits = MariaDBPoolConfiguration()
        change(&limits)
        return limits
    }

    @Test(arguments: StoreUnderTest.servers, [MariaDBConfiguration.TLS.off, .required])
    func aStatementEndsAtTheReadTimeout(kind: StoreUnderTest, tls: MariaDBConfiguration.TLS) async throws {
        try await withProxy(kind, tls: tls) { pool, proxy in
            for isPrepared in [true, false] {
                try await pool.withConnection { try $0.ping() }
                try await proxy.fallSilent()
                let start = ContinuousClock.now
                let error = await #expect(throws: MariaDBError.self) {
                    try await pool.withConnection { connection in
                        if isPrepared {
                            _ = try connection.query("SELECT ?", [1])
                        } else {
                            try connection.simple("DO 1")
                        }
                    }
                }
                let took = ContinuousClock.now - start
                #expect(error?.isConnectionLost == true && error?.thread != nil)
                #expect(took >= .seconds(1.9) && took < .seconds(3), "\(took)")
                // The silent one closes without waiting for anybody.
                let closing = ContinuousClock.now
                try await eventually { pool.threadIDs.isEmpty }
                #expect(ContinuousClock.now - closing < .seconds(1))
                try await proxy.speak()
                try await eventually { try await answers(pool) }
            }
        }
    }

    /// Statements of a connection that is healthy as far as anybody knows are closed with it: that must not wait either.
    @Test(arguments: StoreUnderTest.servers, [MariaDBConfiguration.TLS.off, .required])
    func closingAnIdleConnectionWaitsForNobody(kind: StoreUnderTest, tls: MariaDBConfiguration.TLS) async throws {
        let limits = limits {
            $0.minConnections = 0
            $0.idleTimeout = .milliseconds(1_500)
        }
        try await withProxy(kind, pool: limits, tls: tls) { pool, proxy in
            try await pool.withConnection { connection in
                for number in 0..<64 { _ = try connection.query("SELECT \(number)") }
            }
            try await proxy.fallSilent()
            #expect(pool.statistics.open == 1)
            try await eventually { pool.statistics.open == 0 }
            let start = ContinuousClock.now
            try await eventually { pool.threadIDs.isEmpty }
            #expect(ContinuousClock.now - start < .seconds(1))
            try await proxy.speak()
        }
    }

    @Test(arguments: StoreUnderTest.servers) func aCallerIsToldWithinItsWait(kind: StoreUnderTest) async throws {
        let limits = limits {
            $0.maxConnections = 4
            $0.waitTimeout = .milliseconds(800)
            $0.idleCheck = .zero
            $0.maxBackoff = .milliseconds(200)
        }
        try await withProxy(kind, pool: limits) { pool, proxy in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 {
                    tasks.addTask { try await pool.withConnection { _ = try $0.query("SELECT SLEEP(0.2)") } }
                }
                try await tasks.waitForAll()
            }
            #expect(pool.statistics.idle == 4)
            try await proxy.fallSilent()
            // The first finds connections that do not answer, the others none; all are told in time.
            for _ in 0..<6 {
                let start = ContinuousClock.now
                let error = await #expect(throws: MariaDBError.self) {
                    try await pool.withConnection { try $0.simple("DO 1") }
                }
                #expect(error?.isConnectionLost == true && error?.isRetriable == true, "\(String(describing: error))")
                #expect(ContinuousClock.now - start < .milliseconds(1_300))
            }
            try await proxy.speak()
            try await eventually { try await answers(pool) }
        }
    }

    /// One statement broke: the other idle connections are asked before a caller has one.
    @Test(arguments: StoreUnderTest.servers) func oneLossMakesTheOthersSuspect(kind: StoreUnderTest) async throws {
        try await withProxy(kind, pool: limits { $0.maxConnections = 4 }) { pool, proxy in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 {
                    tasks.addTask { try await pool.withConnection { _ = try $0.query("SELECT SLEEP(0.2)") } }
                }
                try await tasks.waitForAll()
            }
            await proxy.cutAll()
            await #expect(throws: MariaDBError.self) { try await pool.withConnection { try $0.simple("DO 1") } }
            for _ in 0..<4 { try await pool.withConnection { try $0.simple("DO 1") } }
        }
    }

    /// A server that takes no connection at all: its queue of those to be accepted is full, and Linux drops what comes then.
    @Test func anAttemptToConnectEndsAtItsTimeout() async throws {
        let listener = try FullListener()
        defer { listener.close() }
        var database = MariaDBConfiguration(
            servers: [
                .tcp(host: "127.0.0.1", port: listener.port),
                .tcp(host: "127.0.0.1", port: try await StoreUnderTest.mariaDB.port),
            ], user: "root", password: "")
        database.connectTimeout = .seconds(1)
        try await running(MariaDBPool(database, logger: quiet)) { pool in
            let start = ContinuousClock.now
            try await pool.withConnection { try $0.ping() }
            let took = ContinuousClock.now - start
            #expect(took >= .milliseconds(900) && took < .seconds(2.5), "\(took)")
            // The next connections begin where the last one was made.
            let next = ContinuousClock.now
            await #expect(throws: MariaDBError.self) {
                try await pool.withConnection { try $0.simple("KILL CONNECTION_ID()") }
            }
            try await pool.withConnection { try $0.ping() }
            #expect(ContinuousClock.now - next < .milliseconds(900))
        }
    }

    /// A server that takes a connection and does not greet.
    @Test func aServerThatDoesNotGreetIsLeft() async throws {
        let proxy = CuttingProxy(server: try await StoreUnderTest.mariaDB.port)
        var database = MariaDBConfiguration(
            servers: [.tcp(host: "127.0.0.1", port: try await proxy.start())], user: "root", password: "")
        database.connectTimeout = .seconds(1)
        database.readTimeout = .seconds(60)
        try await proxy.fallSilent()
        var limits = MariaDBPoolConfiguration()
        limits.waitTimeout = .seconds(4)
        try await running(MariaDBPool(database, pool: limits, logger: quiet)) { pool in
            let error = await #expect(throws: MariaDBError.self) { try await pool.withConnection { try $0.ping() } }
            #expect(error?.message.contains("cannot connect") == true, "\(String(describing: error))")
            try await proxy.speak()
            try await eventually { try await answers(pool) }
        }
        try await proxy.stop()
    }

    /// The store says that it cannot be reached, in time, and goes on by itself when it can; nothing is there twice.
    @Test(arguments: StoreUnderTest.servers) func theStoreComesBackByItself(kind: StoreUnderTest) async throws {
        var configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        let proxy = CuttingProxy(server: try await kind.port)
        configuration.shards[0].servers = [.tcp(host: "127.0.0.1", port: try await proxy.start())]
        configuration.shards[0].connectTimeout = .seconds(1)
        configuration.shards[0].readTimeout = .seconds(1)
        configuration.waitTimeout = .seconds(1)
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store async throws in
            _ = try await store.join(as: BrokerIdentity(name: "broker", address: "b:1"))
            var messages = Messages()
            let first = messages.insertion(["a"])
            #expect(try await store.insert([first], shard: 0) == [.stored])
            try await proxy.fallSilent()
            let second = messages.insertion(["a"])
            let start = ContinuousClock.now
            let error = await #expect(throws: StoreError.self) { try await store.insert([second], shard: 0) }
            #expect(error?.code == .unavailable, "\(String(describing: error))")
            // It was sent, and nobody knows what became of it.
            #expect(error?.isOutcomeUnknown == true)
            // One wait for the reply, one for a connection to ask with, and one more of each.
            #expect(ContinuousClock.now - start < .seconds(6))
            try await proxy.speak()
            try await eventually {
                do {
                    return try await store.insert([second], shard: 0) == [.stored]
                } catch let error as StoreError where error.code == .unavailable {
                    return false
                }
            }
            #expect(try await store.fresh(of: "a", after: 0, limit: 9) == [first.seq, second.seq])
        }
        try await proxy.stop()
    }

    private func answers(_ pool: MariaDBPool) async throws -> Bool {
        do {
            try await pool.withConnection { try $0.simple("DO 1") }
            return true
        } catch let error as MariaDBError where error.isConnectionLost {
            return false
        }
    }
}

/// Listens, accepts nothing, and has its queue full.
private struct FullListener {
    let port: Int
    private let descriptors: [Int32]

    init() throws {
        func address(_ port: in_port_t) -> sockaddr_in {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            return address
        }
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var bound = address(0)
        var length = size
        let code = withUnsafeMutablePointer(to: &bound) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { socketAddress in
                guard bind(listener, socketAddress, size) == 0, listen(listener, 0) == 0 else { return Int32(-1) }
                return getsockname(listener, socketAddress, &length)
            }
        }
        try #require(code == 0)
        port = Int(UInt16(bigEndian: bound.sin_port))
        var open = [listener]
        for _ in 0..<4 {
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            withUnsafePointer(to: &bound) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = connect(client, $0, size) }
            }
            open.append(client)
        }
        descriptors = open
    }

    func close() { for descriptor in descriptors { _ = Glibc.close(descriptor) } }
}
