import Foundation
import LocalServers
import Synchronization

@testable import KiteQRegistry

extension LocalZooKeeper {
    /// Runs a body with a server of its own that is up; ends the server and removes its data after it.
    static func withServer<Result>(
        isStarted: Bool = true, _ body: (LocalZooKeeper) async throws -> Result
    ) async throws -> Result {
        try await withServer(isStarted: isStarted) { server, _ in try await body(server) }
    }

    /// The same, with the folder that its data are in.
    static func withServer<Result>(
        isStarted: Bool = true, _ body: (LocalZooKeeper, _ data: URL) async throws -> Result
    ) async throws -> Result {
        let folder = try LocalServers.temporaryFolder("zookeeper")
        let server = try LocalZooKeeper(dataDirectory: folder)
        let result: Swift.Result<Result, any Error>
        do {
            if isStarted { try await server.start() }
            result = .success(try await body(server, folder.appending(path: "data")))
        } catch {
            result = .failure(error)
        }
        await server.kill()
        try FileManager.default.removeItem(at: folder)
        return try result.get()
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
        result = .failure(LocalServerError("\(server) does not answer"))
    }
    await runBlocking { client.close() }
    return try result.get()
}
