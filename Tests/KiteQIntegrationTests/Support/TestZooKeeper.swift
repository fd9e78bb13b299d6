import Foundation
import KiteQ
import KiteQCore
import KiteQRegistry
import LocalServers

/// A ZooKeeper of a test's own.
struct TestZooKeeper: Sendable {
    let server: LocalZooKeeper
    private let folder: URL

    /// Of brokers: an outage is long once it has lasted for two of these.
    static let session = Duration.seconds(1)

    /// Runs `body` with a server, and ends it.
    /// - Parameter isStarted: false: the server is away at first, until the test starts it.
    static func run(isStarted: Bool = true, _ body: (TestZooKeeper) async throws -> Void) async throws {
        let folder = try LocalServers.temporaryFolder("zookeeper")
        let server = try LocalZooKeeper(dataDirectory: folder, logger: quiet)
        if isStarted { try await server.start() }
        do {
            try await body(TestZooKeeper(server: server, folder: folder))
        } catch {
            await server.kill()
            throw error
        }
        await server.kill()
        try FileManager.default.removeItem(at: folder)
    }

    /// How clients find brokers, and say what they want.
    var discovery: KiteQConfiguration.Discovery { .zooKeeper(server.server) }
    var url: String { "zk://\(server.server)" }

    /// How many nodes it has, by its own word.
    func nodeCount() async throws -> Int? {
        let said = try await LoopbackHTTP.ask("srvr", port: server.port) ?? ""
        return said.split(separator: "\n").first { $0.hasPrefix("Node count: ") }.flatMap {
            Int($0.dropFirst("Node count: ".count))
        }
    }

    /// A broker's registry.
    /// - Parameter port: where the server is reached, when that is not its own port.
    func registry(port: Int? = nil) -> ZooKeeperRegistry {
        ZooKeeperRegistry(
            configuration: ZooKeeperConfiguration(
                servers: ["127.0.0.1:\(port ?? server.port)"], sessionTimeout: Self.session),
            logger: quiet)
    }

    /// Kills the server, runs `body` while it is away, and starts it again.
    func whileKilled(isEmptied: Bool, _ body: () async throws -> Void) async throws {
        await server.kill()
        try await body()
        if isEmptied { try FileManager.default.removeItem(at: folder.appending(path: "data")) }
        try await server.start()
    }

    /// Waits until a client that comes now is told of exactly these brokers.
    func lists(_ brokers: [BrokerAddress?]) async throws {
        let expected = brokers.compactMap { $0 }
        try await says("brokers \(expected)", { $0.brokers(of: "trade") }) { $0 == expected }
    }

    /// Waits until it has bindings of exactly these groups.
    func hasBindings(of groups: [String]) async throws {
        try await says("bindings of \(groups)", { $0.bindings(of: ["trade"]) }) { $0.map(\.group) == groups }
    }

    private func says<Element: Sendable>(
        _ what: String, _ stream: (ZooKeeperRegistry) -> some AsyncSequence<Element, Never> & Sendable,
        _ isWanted: @escaping @Sendable (Element) -> Bool
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let registry = registry()
            tasks.addTask {
                do { try await registry.run() } catch is CancellationError {}
            }
            defer { tasks.cancelAll() }
            let said = stream(registry)
            tasks.addTask {
                for await element in said where isWanted(element) { return }
                throw NeverHappened(description: "ZooKeeper has \(what)")
            }
            tasks.addTask {
                try await Task.sleep(for: .seconds(60))
                throw NeverHappened(description: "not within 60 s: ZooKeeper has \(what)")
            }
            try await tasks.next()
        }
    }
}
