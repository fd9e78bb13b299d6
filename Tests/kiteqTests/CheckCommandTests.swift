import Foundation
import LocalServers
import Logging
import MariaDB
import Testing
import TestSupport

@testable import kiteq

/// `kiteq check database`, and a database that is another product, as a user sees them.
@Suite(.serialized, .timeLimit(.minutes(4))) struct CheckCommandTests {
    enum Server: String, CaseIterable, Sendable {
        case mariaDB, mySQL, galera

        static let available: [Server] = allCases.filter { server in
            switch server {
            case .mariaDB: true
            case .mySQL: LocalMySQL.root != nil
            case .galera: LocalGalera.missing == nil
            }
        }

        func with(_ options: [String] = [], _ body: (Int) async throws -> Void) async throws {
            let folder = try LocalServers.temporaryFolder("check")
            defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
            switch self {
            case .mariaDB:
                let server = try LocalMariaDB(dataDirectory: folder, options: options)
                try await server.start()
                try await body(server.port)
                await server.stop()
            case .mySQL:
                let server = try LocalMySQL(
                    root: try #require(LocalMySQL.root), dataDirectory: folder, options: options)
                try await server.start()
                try await body(server.port)
                await server.stop()
            case .galera:
                let cluster = try LocalGalera(nodes: 1, folder: folder, options: options)
                try await cluster.start(makesAccounts: false)
                try await body(cluster.servers[0].port)
                await cluster.stop()
            }
        }
    }

    private struct Document: Decodable {
        struct Line: Decodable {
            var level: String
            var place: String
            var subject: String
            var text: String
        }

        var status: String
        var lines: [Line]

        func level(_ subject: String) -> String? { lines.first { $0.subject == subject }?.level }
    }

    private func onServer<Result: Sendable>(
        _ port: Int, _ body: @escaping @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> Result {
        let root = MariaDBConfiguration(servers: [.tcp(host: "127.0.0.1", port: port)], user: "root", password: "")
        let pool = MariaDBPool(root, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pool.run() }
            defer { tasks.cancelAll() }
            return try await pool.withConnection(body)
        }
    }

    /// What docs/install-on-a-cluster.md gives a broker.
    private func createUser(_ port: Int) async throws {
        try await onServer(port) { connection in
            try connection.simple("CREATE USER kite@'%' IDENTIFIED BY 'secret'")
            try connection.simple("GRANT SELECT, INSERT, UPDATE, DELETE ON `kite\\_%`.* TO kite@'%'")
        }
    }

    private func check(_ store: String) throws -> (Document, CommandProcess.Outcome) {
        let outcome = try CommandProcess.run(["check", "database", "--json", "--store", store])
        return (try JSONDecoder().decode(Document.self, from: Data(outcome.output.utf8)), outcome)
    }

    @Test(arguments: Server.available) func eachLineOfALiveServer(server: Server) async throws {
        try await server.with(["--max-allowed-packet=64M"]) { port in
            let store = "mysql://root@127.0.0.1:\(port)/kite?shards=2"
            let (before, refused) = try check(store)
            #expect(refused.status == 1 && before.status == "bad" && before.level("tables") == "bad")
            #expect(try CommandProcess.run(["migrate", "--store", store]).status == 0)
            let (after, outcome) = try check(store)
            #expect(outcome.status == 0 && outcome.error == "", "\(outcome)")
            #expect(after.status == "warn", "\(outcome.output)")
            for subject in [
                "product", "address", "read_only", "innodb_flush_log_at_trx_commit", "max_allowed_packet", "clock",
                "writers",
                "tables", "slots", "SKIP LOCKED", "open transactions", "history list",
            ] {
                #expect(after.level(subject) == "ok", "\(subject): \(outcome.output)")
            }
            // Root is above read_only.
            #expect(after.level("grants") == "warn")
            #expect((after.level("galera") == "ok") == (server == .galera))
            #expect((after.level("sync_binlog") == "ok") == (server == .mySQL))
            let text = try CommandProcess.run(["check", "database", "--store", store])
            #expect(text.status == 0 && text.output.contains("\nok    kite_1"), "\(text.output)")
            #expect(text.output.split(separator: "\n").last?.hasPrefix("0 bad, ") == true)
        }
    }

    @Test(arguments: Server.available) func withTheBrokersUserAndAServerThatLosesMessages(server: Server) async throws {
        try await server.with(["--innodb-flush-log-at-trx-commit=2"]) { port in
            let root = "mysql://root@127.0.0.1:\(port)/kite?shards=1"
            let migrated = try CommandProcess.run(["migrate", "--store", root])
            #expect(migrated.status == 0)
            try await createUser(port)
            let (document, outcome) = try check("mysql://kite:secret@127.0.0.1:\(port)/kite?shards=1")
            #expect(outcome.status == 1 && document.status == "bad")
            #expect(document.level("innodb_flush_log_at_trx_commit") == "bad")
            #expect(document.level("grants") == "ok", "\(outcome.output)")
            #expect(document.lines.contains { $0.subject == "history list" && $0.text.contains("PROCESS") })
            #expect(document.level("SKIP LOCKED") == "ok")
            #expect(!outcome.output.contains("secret"))
        }
    }

    /// Two servers that take writes and know nothing of one another.
    @Test func twoWritersAreBad() async throws {
        try await Server.mariaDB.with { one in
            try await Server.mariaDB.with { two in
                let store = "mysql://root@127.0.0.1:\(one),127.0.0.1:\(two)/kite?shards=1"
                let refused = try CommandProcess.run(["migrate", "--store", store])
                #expect(refused.status == 1 && refused.error.contains("both take writes"), "\(refused.error)")
                for port in [one, two] {
                    let store = "mysql://root@127.0.0.1:\(port)/kite?shards=1"
                    #expect(try CommandProcess.run(["migrate", "--store", store]).status == 0)
                }
                let (document, outcome) = try check(store)
                #expect(outcome.status == 1 && document.level("writers") == "bad", "\(outcome.output)")
            }
        }
    }

    @Test func whatCannotBeReachedIsALine() throws {
        let port = try LocalServers.freePort()
        let (document, outcome) = try check("mysql://root:hush@127.0.0.1:\(port)/kite?shards=1")
        #expect(outcome.status == 1 && document.level("connection") == "bad")
        #expect(document.lines.first?.place == "127.0.0.1:\(port)")
        #expect(!outcome.output.contains("hush") && !outcome.error.contains("hush"))
        #expect(try CommandProcess.run(["check", "database", "--store", "memory://"]).status == 64)
    }

    @Test(.enabled(if: LocalMySQL.root != nil)) func anotherProductIsRefusedInASentence() async throws {
        try await Server.mySQL.with { port in
            let comment = try await onServer(port) { try $0.simpleRows("SELECT @@version_comment")[0].text(0) }
            let other = "TiDB" + String(repeating: " ", count: comment.count - 4)
            let proxy = try await RewritingProxy.start(server: port, replacing: [(comment, other)])
            let store = "mysql://root@127.0.0.1:\(proxy.port)/kite?shards=1"
            let migrated = try CommandProcess.run(["migrate", "--store", store])
            #expect(migrated.status == 1 && migrated.output == "")
            #expect(
                migrated.error.contains("the database is TiDB, which KiteQ does not work with"), "\(migrated.error)")
            #expect(migrated.error.contains("docs/databases.md") && migrated.error.filter(\.isNewline).count == 1)
            #expect(
                try CommandProcess.run(["migrate", "--store", "mysql://root@127.0.0.1:\(port)/kite?shards=1"]).status
                    == 0)
            let registry = FileManager.default.temporaryDirectory.appending(path: "kiteq-\(UUID().uuidString).yaml")
            try "bindings: []\n".write(to: registry, atomically: true, encoding: .utf8)
            defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: registry) } }
            let served = try CommandProcess.run([
                "serve", "--topics", "trade", "--registry", "file://\(registry.path)", "--store", store, "--bind",
                "127.0.0.1:0",
                "--log-level", "error",
            ])
            #expect(served.status == 1 && served.error.contains("the database is TiDB"), "\(served.error)")
            let (document, outcome) = try check(store)
            #expect(outcome.status == 1 && document.level("product") == "bad")
            try await proxy.stop()
        }
    }
}
