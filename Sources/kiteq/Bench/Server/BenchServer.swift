import Foundation
import KiteQCore
import LocalServers

/// A server that is measured: this program in a process of its own, so that what it uses is its alone.
struct BenchServer: Sendable {
    let address: BrokerAddress
    private let program: LocalProgram

    /// - Parameters:
    ///   - executable: another build of this program.
    ///   - arguments: of this program, for a server at this address.
    ///   - ready: what it prints once it serves.
    ///   - environment: what must not be seen on its command line.
    init(
        _ name: String, folder: URL, ready: String, executable: String? = nil, environment: [String: String] = [:],
        arguments: (BrokerAddress) -> [String]
    ) throws {
        address = BrokerAddress(host: "127.0.0.1", port: try LocalServers.freePort())
        program = LocalProgram(
            name: name, command: [executable ?? Self.executable] + arguments(address), ready: ready,
            log: folder.appending(path: "\(name).log"),
            environment: Self.environment.merging(environment) { _, given in given })
    }

    private static var executable: String { URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path }

    /// What configures this program must not configure the broker, but for the store's password.
    private static var environment: [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KITEQ_") || $0.key == "KITEQ_STORE_PASSWORD" }
    }

    /// Runs it for as long as `body` takes.
    /// - Throws: also where it did not end in order.
    func run<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        try await program.start(within: .seconds(120))
        do {
            let result = try await body()
            if let failure = await program.stop(within: .seconds(120)) {
                throw CommandError("the measured server did not end in order, \(failure): \(program.lastWords)")
            }
            return result
        } catch {
            await program.kill()
            throw error
        }
    }

    var usage: ProcessUsage {
        get throws {
            guard let pid = program.pid else { throw CommandError("the measured server died: \(program.lastWords)") }
            return try ProcessUsage(of: pid)
        }
    }
}
