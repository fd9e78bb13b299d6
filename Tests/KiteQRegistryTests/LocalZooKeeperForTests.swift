import Foundation
import Synchronization

@testable import KiteQRegistry

/// A ZooKeeper server of a test's own, on a loopback port, with its data in a temporary folder.
final class LocalZooKeeperForTests: Sendable {
    let port: Int
    private let folder: URL
    private let process = Mutex<Process?>(nil)

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    init(port: Int? = nil) throws {
        self.port = try port ?? Self.freePort()
        folder = FileManager.default.temporaryDirectory.appending(path: "kiteq-zookeeper-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let settings = """
            tickTime=500
            dataDir=\(folder.path)/data
            clientPort=\(self.port)
            clientPortAddress=127.0.0.1
            admin.enableServer=false
            """
        try settings.write(to: folder.appending(path: "zoo.cfg"), atomically: true, encoding: .utf8)
    }

    var server: String { "127.0.0.1:\(port)" }

    /// Runs a body with a server that is up, and ends the server after it.
    static func withServer<Result>(
        _ body: (LocalZooKeeperForTests) async throws -> Result
    ) async throws -> Result {
        let server = try LocalZooKeeperForTests()
        defer { server.remove() }
        try await server.start()
        return try await body(server)
    }

    /// Returns when the server answers a client.
    func start() async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "java", "-Xmx96m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
            "/etc/zookeeper/conf:/usr/share/java/*", "org.apache.zookeeper.server.quorum.QuorumPeerMain",
            folder.appending(path: "zoo.cfg").path,
        ]
        process.currentDirectoryURL = folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process.withLock { $0 = process }
        let isUp = await eventually(within: .seconds(60)) { await Self.answers(self.server) }
        guard isUp else {
            stop()
            throw Failure(description: "ZooKeeper did not start on \(server)")
        }
    }

    private static func answers(_ server: String) async -> Bool {
        do {
            return try await withClient(of: server, patience: .seconds(1)) {
                try await $0.exists("/", watch: false) != nil
            }
        } catch {
            return false
        }
    }

    /// Kills the server, as a crash would.
    func stop() {
        guard let process = process.withLock({ $0.take() }) else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func remove() {
        stop()
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            print("The folder \(folder.path) stays: \(error)")
        }
    }

    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard result else { throw Failure(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// Runs a body with a plain session of its own: what a client of another kind sees and does.
func withClient<Result: Sendable>(
    of server: String, patience: Duration = .seconds(20), digest: String? = nil,
    _ body: @Sendable (ZooKeeperClient) async throws -> Result
) async throws -> Result {
    let configuration = ZooKeeperConfiguration(servers: [server], sessionTimeout: .seconds(4), digest: digest)
    let isConnected = Mutex(false)
    let client = try await withCheckedContinuation { (continuation: CheckedContinuation<_, Never>) in
        DispatchQueue.global().async {
            continuation.resume(
                returning: Swift.Result {
                    try ZooKeeperClient(configuration: configuration) { event in
                        if event == .connected { isConnected.withLock { $0 = true } }
                    }
                })
        }
    }.get()
    var result: Swift.Result<Result, any Error>
    if await eventually(within: patience, { isConnected.withLock { $0 } }) {
        do {
            result = .success(try await body(client))
        } catch {
            result = .failure(error)
        }
    } else {
        result = .failure(LocalZooKeeperForTests.Failure(description: "\(server) does not answer"))
    }
    await runBlocking { client.close() }
    return try result.get()
}
