import Foundation
import KiteQ
import LocalServers
import Testing

/// The built `kiteq`, run as a process of its own, once or again and again at the same address.
final class ServedBroker: Sendable {
    let address: String
    let discovery: KiteQConfiguration.Discovery
    private let folder: URL
    private let store: String
    private let registry: String
    private let adminPort: Int
    private let options: [String]

    /// Next to the tests' own bundle.
    private static var executable: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "kiteq")
    }

    /// - Parameters:
    ///   - registry: a registry's URL, through which clients find it too.
    ///   - options: further ones, as `--set` takes them.
    init(store: String, registry: String, options: [String] = []) throws {
        folder = try LocalServers.temporaryFolder("broker")
        address = "127.0.0.1:\(try LocalServers.freePort())"
        adminPort = try LocalServers.freePort()
        discovery =
            registry.hasPrefix("zk://") ? .zooKeeper(String(registry.dropFirst(5))) : .file(String(registry.dropFirst(7)))
        self.store = store
        self.registry = registry
        self.options = options
    }

    /// With a file of its own for a registry.
    /// - Parameter bindings: each group's message type.
    init(store: String, bindings: KeyValuePairs<String, String>, options: [String] = []) throws {
        folder = try LocalServers.temporaryFolder("broker")
        address = "127.0.0.1:\(try LocalServers.freePort())"
        adminPort = try LocalServers.freePort()
        discovery = .brokers([address])
        let file = folder.appending(path: "registry.yaml")
        try Self.writeRegistry(to: file, brokers: [], bindings: bindings)
        self.store = store
        registry = "file://\(file.path)"
        self.options = options
    }

    static func writeRegistry(
        to file: URL, brokers: [String], bindings: KeyValuePairs<String, String>
    ) throws {
        var lines = ["brokers:\(brokers.isEmpty ? " []" : "")"]
        for broker in brokers { lines.append("  - {address: \"\(broker)\", topics: [trade]}") }
        lines.append("bindings:")
        for (group, type) in bindings {
            lines.append("  - {groupIds: [\(group)], topic: trade, messageType: \(type), bindType: direct}")
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: file, options: .atomic)
    }

    // MARK: Processes

    /// Runs `kiteq migrate`.
    func migrate() async throws {
        let process = try run(["migrate", "--store", store])
        #expect(try await end(of: process) == 0)
    }

    /// Starts the broker; it may not serve yet.
    func start() throws -> Process {
        let arguments = [
            "serve", "--bind", address, "--admin", "127.0.0.1:\(adminPort)", "--store", store, "--topics", "trade",
            "--registry", registry, "--log-level", "error",
        ]
        return try run(arguments + options.flatMap { ["--set", $0] })
    }

    /// Waits until it says that it serves.
    func serves(_ process: Process) async throws {
        try await eventually("the broker serves") {
            try #require(process.isRunning, "it ended with status \(process.terminationStatus)")
            return try output.contains("serving")
        }
    }

    /// Starts the broker, and returns when it says that it serves.
    func serve() async throws -> Process {
        let process = try start()
        try await serves(process)
        return process
    }

    /// Ends it as a crash would.
    func kill(_ process: Process) async throws {
        Foundation.kill(process.processIdentifier, SIGKILL)
        _ = try await end(of: process)
    }

    /// Stops it in order, which ends with status 0.
    func stop(_ process: Process) async throws {
        process.terminate()
        #expect(try await end(of: process) == 0)
    }

    /// - Returns: its exit status, negative where a signal ended it.
    private func end(of process: Process) async throws -> Int32 {
        try await eventually("the process ends") { !process.isRunning }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    private func run(_ arguments: [String]) throws -> Process {
        let process = Process()
        let file = folder.appending(path: "output")
        try Data().write(to: file)
        process.standardOutput = try FileHandle(forWritingTo: file)
        process.executableURL = Self.executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KITEQ_") }
        try process.run()
        return process
    }

    // MARK: Looking at it

    private var output: String {
        get throws { String(decoding: try Data(contentsOf: folder.appending(path: "output")), as: UTF8.self) }
    }

    /// What `/readyz` says; nil while nobody answers there.
    func readiness() async throws -> String? {
        try await LoopbackHTTP.get("/readyz", port: adminPort)
    }
}
