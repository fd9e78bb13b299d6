import Foundation
import Testing

@testable import LocalServers

/// What clusters of this machine are made of; whole ones are started by the fault harness's tests.
@Suite(.serialized) struct ClusterPiecesTests {
    /// Whether a program that is started so connects to a port of 127.0.0.1.
    private func connects(to port: Int, with environment: [String: String]) async throws -> Bool {
        let own = ProcessInfo.processInfo.environment
        do {
            try await LocalProgram.run(
                ["/bin/bash", "-c", "exec 3<> /dev/tcp/127.0.0.1/\(port)"], log: URL(fileURLWithPath: "/dev/null"),
                environment: own.merging(environment) { _, new in new }, within: .seconds(20))
            return true
        } catch is LocalServerError {
            return false
        }
    }

    @Test func connectionsTakeAnotherWay() async throws {
        let listener = try Listener()
        defer { listener.close() }
        let nobody = try LocalServers.freePort()
        let ways = try ReroutedConnections.environment([nobody: listener.port])
        #expect(try await connects(to: nobody, with: ways))
        #expect(try await !connects(to: nobody, with: [:]))
        #expect(try await connects(to: listener.port, with: ways))
    }

    /// With the straight way a test would pass that shows nothing.
    @Test(arguments: ["1", "1=x", "1=2;3=4", "1=70000"])
    func aWayThatCannotBeReadEndsTheProgram(_ text: String) async throws {
        let listener = try Listener()
        defer { listener.close() }
        var ways = try ReroutedConnections.environment([1: 2])
        ways["REROUTED_CONNECTIONS"] = text
        #expect(try await !connects(to: listener.port, with: ways))
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a program less rights"))
    func aServerHasTheRightsOfAnAccount() async throws {
        let folder = try LocalServers.temporaryFolder("account")
        defer { remove(folder) }
        let server = try LocalMariaDB(dataDirectory: folder, account: "nobody")
        try await server.start()
        let pid = try #require(server.pid)
        let nobody = try SystemAccount(named: "nobody")
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        #expect(status.contains("Uid:\t\(nobody.user)\t\(nobody.user)\t\(nobody.user)\t\(nobody.user)"))
        await server.stop()
        #expect(throws: LocalServerError.self) { try SystemAccount(named: "no such user") }
    }

    @Test func aDBASeesRowsAndErrors() async throws {
        let folder = try LocalServers.temporaryFolder("dba")
        defer { remove(folder) }
        let server = try LocalMariaDB(dataDirectory: folder)
        let node = ClusterNode(number: 1, server)
        #expect(await !node.isWritable)
        try await server.start()
        #expect(await node.isWritable)
        let rows = try await node.run("SET @a = 7", "SELECT @a AS number, NULL AS nothing, 'ä' AS text")
        #expect(rows.count == 1 && rows[0]["number"] == "7" && rows[0][1] == nil && rows[0]["text"] == "ä")
        let error = await #expect(throws: DBAError.self) { try await node.run("SELECT nothing FROM nowhere.t") }
        #expect(error?.code == 1146 || error?.code == 1049)
        try await node.run("SET GLOBAL read_only = 1")
        #expect(await !node.isWritable)
        node.pause()
        #expect(!node.isRunning)
        node.goOn()
        #expect(await node.status("Threads_connected") == "1")
        await node.kill()
        #expect(await node.status("Threads_connected") == nil)
    }

    private func remove(_ folder: URL) {
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            Issue.record("\(folder.path) cannot be removed: \(error)")
        }
    }
}

/// Listens on a port of 127.0.0.1, and takes no connection from the queue.
private final class Listener {
    let port: Int
    private let descriptor: Int32

    init() throws {
        port = try LocalServers.freePort()
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let isListening = LoopbackProbe.withAddress(port: port) { [descriptor] in
            bind(descriptor, $0, $1) == 0 && listen(descriptor, 8) == 0
        }
        try #require(isListening)
    }

    func close() { Glibc.close(descriptor) }
}
