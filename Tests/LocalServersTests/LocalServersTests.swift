import Foundation
import Testing

@testable import LocalServers

@Suite(.serialized)
struct LocalServersTests {
    @Test("MariaDB starts, keeps its data over a stop and a crash, and ends", .timeLimit(.minutes(3)))
    func mariaDB() async throws {
        let folder = try LocalServers.temporaryFolder("mariadb")
        defer { remove(folder) }
        let server = try LocalMariaDB(dataDirectory: folder, options: ["--innodb-log-file-size=8M"])
        try await server.start()
        let first = try #require(server.pid)
        #expect(FileManager.default.fileExists(atPath: server.socket))
        await #expect(throws: LocalServerError("mariadbd runs already")) { try await server.start() }
        try sql(
            server.socket,
            "CREATE DATABASE kept; CREATE TABLE kept.t (a INT) ENGINE=InnoDB; INSERT INTO kept.t VALUES (7)")
        #expect(try sql("127.0.0.1:\(server.port)", "SELECT a, @@log_bin FROM kept.t") == "7\t0")

        await server.stop()
        #expect(server.pid == nil)
        #expect(kill(first, 0) != 0)
        try await server.start()
        #expect(try sql(server.socket, "SELECT a FROM kept.t") == "7")
        await server.kill()
        #expect(server.pid == nil)
        try await server.start()
        #expect(try sql(server.socket, "SELECT a FROM kept.t") == "7")
        await server.stop()
        await server.stop()
    }

    @Test("a server that cannot start says why", .timeLimit(.minutes(3)))
    func cannotStart() async throws {
        let folder = try LocalServers.temporaryFolder("mariadb")
        defer { remove(folder) }
        let server = try LocalMariaDB(dataDirectory: folder, options: ["--no-such-option"])
        let error = await #expect(throws: LocalServerError.self) { try await server.start() }
        #expect(error?.message.contains("--no-such-option") == true)
        #expect(server.pid == nil)
    }

    @Test("a cancelled start leaves nothing behind", .timeLimit(.minutes(3)))
    func cancelled() async throws {
        let folder = try LocalServers.temporaryFolder("mariadb")
        defer { remove(folder) }
        let server = try LocalMariaDB(dataDirectory: folder)
        try await server.start()
        await server.stop()
        let start = Task { try await server.start() }
        start.cancel()
        _ = await start.result
        await server.kill()
        #expect(server.pid == nil)
    }

    @Test("a server dies with the process that started it, even when that is killed", .timeLimit(.minutes(3)))
    func diesWithParent() async throws {
        let folder = try LocalServers.temporaryFolder("mariadb")
        defer { remove(folder) }
        let path = folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let server = try LocalMariaDB(dataDirectory: URL(fileURLWithPath: path))
            try await server.start()
            let pid = try #require(server.pid)
            try "\(pid)".write(toFile: path + "/pid", atomically: true, encoding: .utf8)
            kill(getpid(), SIGKILL)
        }
        let pid = try #require(pid_t(try String(contentsOfFile: path + "/pid", encoding: .utf8)))
        // Whoever adopts it may let it be a zombie for a while: that is dead enough.
        let deadline = ContinuousClock.now + .seconds(20)
        while isAlive(pid) && ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!isAlive(pid))
    }

    private func isAlive(_ pid: pid_t) -> Bool {
        guard let status = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return false }
        return !String(decoding: status, as: UTF8.self).contains(") Z ")
    }

    @Test("a long folder gets a short socket")
    func longFolder() {
        let long = URL(fileURLWithPath: "/var/" + String(repeating: "long/", count: 30))
        let folder = DatabaseFolder(long)
        #expect(folder.socket.utf8.count <= 107)
        #expect(folder.socket == DatabaseFolder(long).socket)
        #expect(folder.socket != DatabaseFolder(long.appending(path: "a")).socket)
        #expect(DatabaseFolder(URL(fileURLWithPath: "/var/short")).socket == "/var/short/server.sock")
    }

    @Test(
        "MySQL starts, keeps its data, and ends", .timeLimit(.minutes(5)),
        .enabled(if: LocalMySQL.root != nil, "KITEQ_MYSQL_ROOT is not set"))
    func mySQL() async throws {
        let folder = try LocalServers.temporaryFolder("mysql")
        defer { remove(folder) }
        let server = try LocalMySQL(root: try #require(LocalMySQL.root), dataDirectory: folder)
        try await server.start()
        #expect(
            try sql("127.0.0.1:\(server.port)", "CREATE DATABASE kept; SELECT @@log_bin, VERSION()").hasPrefix("1\t9."))
        await server.kill()
        try await server.start()
        #expect(try sql(server.socket, "SHOW DATABASES LIKE 'kept'") == "kept")
        await server.stop()
        #expect(server.pid == nil)
    }

    @Test("ZooKeeper starts again on its port and with its data", .timeLimit(.minutes(3)))
    func zooKeeper() async throws {
        let folder = try LocalServers.temporaryFolder("zookeeper")
        defer { remove(folder) }
        let server = try LocalZooKeeper(dataDirectory: folder)
        try await server.start()
        await server.kill()
        try await server.start()
        await server.stop()
        #expect(server.pid == nil)
    }

    @Test("folders of dead processes go, those of living ones stay")
    func folders() async throws {
        let mine = try LocalServers.temporaryFolder("a")
        let temporary = FileManager.default.temporaryDirectory
        // A process that has ended: its number is of no process now.
        let ended = try ChildProcess(["/bin/true"], output: "/dev/null")
        #expect(await ended.exit(within: .seconds(20)) == .code(0))
        let old = temporary.appending(path: "kiteq-local-\(ended.pid)-x-1")
        try FileManager.default.createDirectory(at: old, withIntermediateDirectories: true)
        let other = try LocalServers.temporaryFolder("b")
        #expect(!FileManager.default.fileExists(atPath: old.path))
        #expect(FileManager.default.fileExists(atPath: mine.path))
        remove(mine)
        remove(other)
    }

    /// What the mysql client prints.
    @discardableResult
    private func sql(_ address: String, _ text: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let parts = address.split(separator: ":")
        let place = parts.count == 2 ? ["-h", "\(parts[0])", "-P", "\(parts[1])", "--protocol=tcp"] : ["-S", address]
        process.arguments = ["mariadb", "--no-defaults", "-uroot", "-N", "-B"] + place + ["-e", text]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    private func remove(_ folder: URL) {
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            Issue.record("the folder stays: \(error)")
        }
    }
}
