import Foundation
import LocalServers
import Logging
import MariaDB
import Testing

/// The servers that the tests run on: one of each kind for the whole process, started when first asked for.
enum TestServer: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case mariaDB = "MariaDB"
    case mySQL = "MySQL"

    var testDescription: String { rawValue }

    /// Those that this machine has.
    static let available: [TestServer] = {
        if LocalMySQL.root != nil { return allCases }
        print("The MySQL part of these tests is skipped: KITEQ_MYSQL_ROOT is not set.")
        return [.mariaDB]
    }()

    struct Address: Sendable {
        let port: Int
        let socket: String
        /// The CA of its certificate.
        let caFile: String
        /// What keeps it running.
        let server: any Sendable
    }

    var address: Address {
        get async throws {
            switch self {
            case .mariaDB: try await Self.sharedMariaDB.value
            case .mySQL: try await Self.sharedMySQL.value
            }
        }
    }

    private static let sharedMariaDB = Task {
        let folder = try LocalServers.temporaryFolder("mariadb")
        let certificates = try Certificates(in: folder.appending(path: "tls"))
        let server = try LocalMariaDB(
            dataDirectory: folder,
            options: ["--innodb-buffer-pool-size=256M", "--max-allowed-packet=16M"] + certificates.options)
        try await server.start()
        return Address(port: server.port, socket: server.socket, caFile: certificates.caFile, server: server)
    }

    private static let sharedMySQL = Task {
        let root = try #require(LocalMySQL.root)
        let server = try LocalMySQL(
            root: root, dataDirectory: try LocalServers.temporaryFolder("mysql"),
            options: ["--innodb-buffer-pool-size=256M", "--max-allowed-packet=16M"])
        try await server.start()
        return Address(
            port: server.port, socket: server.socket, caFile: server.dataDirectory + "/ca.pem", server: server)
    }

    // MARK: Using

    /// A configuration for root, without a database.
    var configuration: MariaDBConfiguration {
        get async throws {
            MariaDBConfiguration(
                servers: [.tcp(host: "127.0.0.1", port: try await address.port)], user: "root", password: "")
        }
    }

    /// Runs a body with a pool on a database of its own, which goes with it.
    func withPool<Result: Sendable>(
        _ pool: MariaDBPoolConfiguration = .init(), change: (inout MariaDBConfiguration) -> Void = { _ in },
        _ body: @Sendable (MariaDBPool) async throws -> Result
    ) async throws -> Result {
        var configuration = try await configuration
        let name = "test_" + UUID().uuidString.replacing("-", with: "")
        let root = MariaDBPool(configuration, logger: quiet)
        return try await running(root) { root in
            try await root.withConnection { try $0.simple("CREATE DATABASE \(name)") }
            configuration.database = name
            change(&configuration)
            let result = try await running(MariaDBPool(configuration, pool: pool, logger: quiet), body)
            try await root.withConnection { try $0.simple("DROP DATABASE \(name)") }
            return result
        }
    }
}

/// Runs a body with a pool that is kept meanwhile, and returns when the pool has closed its connections.
func running<Result: Sendable>(
    _ pool: MariaDBPool, _ body: (MariaDBPool) async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { await pool.run() }
        defer { tasks.cancelAll() }
        return try await body(pool)
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

struct NotInTime: Error {}

/// Waits until a condition holds.
func eventually(
    within limit: Duration = .seconds(20), _ isTrue: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !isTrue() {
        guard ContinuousClock.now < deadline else { throw NotInTime() }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Something that one task opens, and others wait for.
final class Gate: Sendable {
    private let isOpen = Shared(false)

    func open() { isOpen.withLock { $0 = true } }
    func wait() async throws { try await eventually { isOpen.withLock { $0 } } }

    /// Waits on the thread of a connection, which may block.
    func block(within limit: Duration = .seconds(20)) {
        let deadline = ContinuousClock.now + limit
        while !isOpen.withLock({ $0 }) && ContinuousClock.now < deadline { usleep(1_000) }
    }
}

/// A value that several tasks change.
///
/// `@unchecked Sendable`: `value` is guarded by `lock`, a pthread mutex, which the thread sanitizer sees.
final class Shared<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<Result>(_ body: (inout Value) -> Result) -> Result { lock.withLock { body(&value) } }
}

extension MariaDBConnection {
    /// What the server's connections do. (In MySQL's information_schema the filter itself can fail: it converts what others
    /// run, which may be binary.)
    func processes() throws -> [(id: UInt64, user: String, statement: String?)] {
        try simpleRows("SHOW PROCESSLIST").map { row in
            let statement = try row.optionalBytes(7).map { String(decoding: $0, as: UTF8.self) }
            return (UInt64(try row.int(0)), try row.text(1), statement)
        }
    }
}
