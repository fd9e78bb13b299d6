import Foundation
import KiteQ
import LocalServers

/// The built `kiteq serve`, a process of its own, in one life after another at the same address.
struct ServedBroker: Sendable {
    let address: String
    /// Where clients find it and, in ZooKeeper or in one file, its like.
    let discovery: KiteQConfiguration.Discovery
    private let program: LocalProgram
    private let adminPort: Int

    /// Next to the tests' own bundle.
    private static var executable: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "kiteq").path
    }

    /// - Parameters:
    ///   - registry: a registry's URL; clients use it too, unless it is `file:`.
    ///   - options: further ones, as `--set` takes them.
    init(store: String, registry: String, options: [String] = []) throws {
        let folder = try LocalServers.temporaryFolder("broker")
        address = "127.0.0.1:\(try LocalServers.freePort())"
        adminPort = try LocalServers.freePort()
        discovery =
            registry.hasPrefix("zk://") ? .zooKeeper(String(registry.dropFirst("zk://".count))) : .brokers([address])
        let command = [
            Self.executable, "serve", "--bind", address, "--admin", "127.0.0.1:\(adminPort)", "--store", store,
            "--topics", "trade", "--registry", registry, "--log-level", "error",
        ]
        program = LocalProgram(
            name: "kiteq", command: command + options.flatMap { ["--set", $0] }, ready: "kiteq: serving",
            log: folder.appending(path: "log"),
            environment: ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KITEQ_") })
    }

    /// With a file of its own for a registry.
    /// - Parameter bindings: each group's message type.
    init(store: String, bindings: KeyValuePairs<String, String>, options: [String] = []) throws {
        let file = try LocalServers.temporaryFolder("registry").appending(path: "registry.yaml")
        let lines = bindings.map {
            "  - {groupIds: [\($0.key)], topic: trade, messageType: \($0.value), bindType: direct}\n"
        }
        try Data(("brokers: []\nbindings:\n" + lines.joined()).utf8).write(to: file)
        try self.init(store: store, registry: "file://\(file.path)", options: options)
    }

    // MARK: Its life

    /// Starts it, and returns when it says that it serves.
    ///
    /// - Parameter clock: its machine's, for this life; nil: this machine's.
    func start(clock: ShiftedClock? = nil) async throws {
        try await program.start(environment: clock?.environment ?? [:], within: .seconds(90))
    }

    /// Ends it as a crash would.
    func kill() async { await program.kill() }

    /// Asks it to end, with SIGTERM.
    /// - Returns: how it ended, in words; nil for status 0.
    func stop() async -> String? { await program.stop(within: .seconds(60)) }

    /// The most memory that it had in this life, bytes; nil where it does not run.
    func residentPeak() -> Int? {
        guard let pid = program.pid, let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
        else { return nil }
        return line.split(separator: " ").compactMap { Int($0) }.first.map { $0 << 10 }
    }

    /// What its API answers to a group; nil while nobody answers there.
    func post(_ route: String, _ json: String, group: String, secret: String) async throws -> LoopbackHTTP.Answer? {
        try await LoopbackHTTP.post("/api/v1/\(route)", json, group: group, secret: secret, port: adminPort)
    }

    /// What `/readyz` says; nil while nobody answers there.
    func readiness() async throws -> String? { try await LoopbackHTTP.get("/readyz", port: adminPort) }
}
