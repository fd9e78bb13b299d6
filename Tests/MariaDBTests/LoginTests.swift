import Foundation
import LocalServers
import MariaDB
import Testing

@Suite struct LoginTests {
    /// Connects with a configuration, and asks for the session's cipher, empty without TLS.
    private func cipher(
        _ configuration: MariaDBConfiguration, within limit: Duration = .seconds(20)
    ) async throws -> String {
        var limits = MariaDBPoolConfiguration()
        limits.waitTimeout = limit
        return try await running(MariaDBPool(configuration, pool: limits, logger: quiet)) { pool in
            try await pool.withConnection { try $0.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0].text(1) }
        }
    }

    private func asRoot(_ server: TestServer, _ statements: String...) async throws {
        try await running(MariaDBPool(try await server.configuration, logger: quiet)) { pool in
            try await pool.withConnection { db in
                for statement in statements { try db.simple(statement) }
            }
        }
    }

    @Test("a wrong password is one clear sentence, without the password", arguments: TestServer.available)
    func wrongPassword(_ server: TestServer) async throws {
        var configuration = try await server.configuration
        configuration.password = "Tr0ub4dor"
        let wrong = configuration
        let start = ContinuousClock.now
        let error = await #expect(throws: MariaDBError.self) { try await cipher(wrong) }
        #expect(ContinuousClock.now - start < .seconds(15), "it is told at once")
        let port = try await server.address.port
        #expect(
            error?.message.hasPrefix(
                "cannot connect to 127.0.0.1:\(port): Access denied for user 'root'@'localhost' (using password: YES)")
                == true,
            "\(String(describing: error))")
        #expect(error?.code == 1045)
        #expect(error?.isRefused == true)
        #expect(error?.isRetriable == false)
        for text in ["\(String(describing: error))", "\(configuration)", String(reflecting: configuration)] {
            #expect(!text.contains("Tr0ub4dor"), "\(text)")
        }
        #expect("\(configuration)" == "root@127.0.0.1:\(port)")
    }

    @Test("no such database, no such host, no server there")
    func unreachable() async throws {
        var configuration = try await TestServer.mariaDB.configuration
        configuration.database = "nowhere"
        let database = configuration
        #expect(await #expect(throws: MariaDBError.self) { try await cipher(database) }?.code == 1049)
        configuration.database = nil
        configuration.servers = [.tcp(host: "no.such.host.invalid", port: 3306)]
        let host = configuration
        #expect(
            await #expect(throws: MariaDBError.self) { try await cipher(host, within: .seconds(1)) }?.isConnectionLost
                == true)
        configuration.servers = [.socket(path: "/nowhere/mysql.sock")]
        let socket = configuration
        let error = await #expect(throws: MariaDBError.self) { try await cipher(socket, within: .seconds(1)) }
        #expect(error?.message.contains("/nowhere/mysql.sock") == true)
        configuration.servers = []
        let none = configuration
        #expect(
            await #expect(throws: MariaDBError.self) { try await cipher(none, within: .seconds(1)) }?.message.contains(
                "no server") == true)
        // The first that answers is taken.
        configuration.servers =
            [.socket(path: "/nowhere/mysql.sock")] + (try await TestServer.mariaDB.configuration.servers)
        _ = try await cipher(configuration)
    }

    @Test("by the Unix socket, and by the name localhost", arguments: TestServer.available)
    func places(_ server: TestServer) async throws {
        let address = try await server.address
        var configuration = try await server.configuration
        configuration.servers = [.socket(path: address.socket)]
        _ = try await cipher(configuration)
        configuration.servers = [.tcp(host: "localhost", port: address.port)]
        _ = try await cipher(configuration)
    }

    @Test("a session statement that fails is why there is no connection")
    func sessionStatements() async throws {
        var configuration = try await TestServer.mariaDB.configuration
        configuration.sessionStatements = ["SET SESSION no_such_variable = 1"]
        let wrong = configuration
        let error = await #expect(throws: MariaDBError.self) { try await cipher(wrong) }
        #expect(error?.code == 1193)
    }

    @Test("TLS where it is required", arguments: TestServer.available)
    func tls(_ server: TestServer) async throws {
        var configuration = try await server.configuration
        #expect(try await cipher(configuration) == "")
        configuration.tls = .required
        #expect(try await cipher(configuration) != "")
    }

    @Test("TLS verified against the CA and the server's name")
    func verified() async throws {
        let address = try await TestServer.mariaDB.address
        var configuration = try await TestServer.mariaDB.configuration
        configuration.tls = .verified(caFile: address.caFile)
        #expect(try await cipher(configuration) != "")
        configuration.servers = [.tcp(host: "localhost", port: address.port)]
        #expect(try await cipher(configuration) != "")
        // An address that the certificate does not name.
        configuration.servers = [.tcp(host: "127.1", port: address.port)]
        let unnamed = configuration
        configuration.servers = [.tcp(host: "127.0.0.1", port: address.port)]
        let stranger = URL(fileURLWithPath: address.caFile).deletingLastPathComponent().appending(path: "stranger.pem")
        configuration.tls = .verified(caFile: stranger.path)
        let unknown = configuration
        configuration.tls = .verified(caFile: "/nowhere/ca.pem")
        for wrong in [unnamed, unknown, configuration] {
            let error = await #expect(throws: MariaDBError.self) { try await cipher(wrong) }
            #expect(error?.code == 2026, "\(String(describing: error))")
            #expect(error?.isRetriable == false)
        }
    }

    @Test(
        "MySQL's own certificate names no host, one that does is verified",
        .enabled(if: TestServer.available.contains(.mySQL), "KITEQ_MYSQL_ROOT is not set"))
    func mySQLVerified() async throws {
        var configuration = try await TestServer.mySQL.configuration
        configuration.tls = .verified(caFile: try await TestServer.mySQL.address.caFile)
        let unnamed = configuration
        let error = await #expect(throws: MariaDBError.self) { try await cipher(unnamed) }
        #expect(error?.code == 2026, "\(String(describing: error))")

        let certificates = try Certificates(in: LocalServers.temporaryFolder("tls"))
        func use(ca: String, cert: String, key: String) async throws {
            try await asRoot(
                .mySQL, "SET GLOBAL ssl_ca = '\(ca)'", "SET GLOBAL ssl_cert = '\(cert)'",
                "SET GLOBAL ssl_key = '\(key)'",
                "ALTER INSTANCE RELOAD TLS")
        }
        let folder = certificates.folder.path
        try await use(ca: folder + "/ca.pem", cert: folder + "/cert.pem", key: folder + "/key.pem")
        configuration.tls = .verified(caFile: certificates.caFile)
        #expect(try await cipher(configuration) != "")
        try await use(ca: "ca.pem", cert: "server-cert.pem", key: "server-key.pem")
    }

    @Test(
        "caching_sha2_password, plain and over TLS, the first time and when it is cached",
        .enabled(if: TestServer.available.contains(.mySQL), "KITEQ_MYSQL_ROOT is not set"))
    func cachingSHA2() async throws {
        try await asRoot(
            .mySQL, "DROP USER IF EXISTS sha", "CREATE USER sha IDENTIFIED WITH caching_sha2_password BY 'päss wörd'")
        var configuration = try await TestServer.mySQL.configuration
        configuration.user = "sha"
        configuration.password = "päss wörd"
        for tls in [MariaDBConfiguration.TLS.off, .required] {
            configuration.tls = tls
            try await asRoot(.mySQL, "FLUSH PRIVILEGES")
            for _ in 0..<2 { #expect((try await cipher(configuration) == "") == (tls == .off)) }
        }
        configuration.tls = .off
        configuration.password = "wrong"
        try await asRoot(.mySQL, "FLUSH PRIVILEGES")
        let wrong = configuration
        #expect(await #expect(throws: MariaDBError.self) { try await cipher(wrong) }?.isRefused == true)
        try await asRoot(.mySQL, "DROP USER sha")
    }
}
