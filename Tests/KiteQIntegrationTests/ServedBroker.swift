import Foundation
import LocalServers
import Testing

/// The built `kiteq`, run as processes of their own against a private MariaDB.
final class ServedBroker: Sendable {
    let address: String
    private let folder: URL
    private let storeURL: String
    private let port: Int
    let databasePort: Int

    /// Next to the tests' own bundle.
    private static var executable: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "kiteq")
    }

    init(databasePort: Int, bindings: String) throws {
        folder = try LocalServers.temporaryFolder("broker")
        port = try LocalServers.freePort()
        address = "127.0.0.1:\(port)"
        self.databasePort = databasePort
        storeURL = "mysql://root@127.0.0.1:\(databasePort)/kite?shards=2"
        try Data("brokers: []\nbindings:\n\(bindings)".utf8).write(to: folder.appending(path: "registry.yaml"))
    }

    /// - Returns: its exit status.
    func migrate() throws -> Int32 {
        let process = try start(["migrate", "--store", storeURL])
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Starts the broker; returns when it says that it serves.
    func serve() throws -> Process {
        let process = Process()
        let output = Pipe()
        process.standardOutput = output
        try start(
            process,
            [
                "serve", "--bind", address, "--store", storeURL, "--topics", "trade", "--registry",
                "file://\(folder.appending(path: "registry.yaml").path)", "--log-level", "error",
            ])
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        #expect(String(decoding: line, as: UTF8.self).contains("serving"))
        return process
    }

    /// Ends it as a crash would.
    func kill(_ process: Process) {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Stops it in order; returns its exit status.
    func stop(_ process: Process) -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    private func start(_ arguments: [String]) throws -> Process {
        let process = Process()
        process.standardOutput = FileHandle.nullDevice
        try start(process, arguments)
        return process
    }

    private func start(_ process: Process, _ arguments: [String]) throws {
        process.executableURL = Self.executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KITEQ_") }
        try process.run()
    }
}
