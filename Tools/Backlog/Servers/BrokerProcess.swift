import Foundation
import LocalServers

/// One broker of a run: the kiteq that was built next to this program.
struct BrokerProcess: Sendable {
    /// Resident memory, MiB.
    struct Memory: Sendable {
        var now: Int
        /// The most there was since `resetPeak()`, as the kernel counts it.
        var peak: Int
    }

    /// `127.0.0.1:port`
    let address: String
    let name: String
    private let program: LocalProgram

    /// At its defaults, but for `options`: those of `kiteq serve --set`.
    init(name: String, store: String, registry: URL, log: URL, options: [String]) throws {
        address = "127.0.0.1:\(try LocalServers.freePort())"
        self.name = name
        var command = [
            Self.executable, "serve", "--bind", address, "--name", name, "--store", store, "--registry",
            "file://\(registry.path)", "--topics", Stage.topic, "--log-level", "notice",
        ]
        for option in options { command += ["--set", option] }
        program = LocalProgram(
            name: name, command: command, ready: "kiteq: serving", log: log, environment: Self.environment,
            logger: quiet)
    }

    static var executable: String {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "kiteq").path
    }

    /// What is left of this process's environment must not configure the broker.
    static var environment: [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KITEQ_") }
    }

    func start() async throws { try await program.start() }

    func kill() async { await program.kill() }

    func stop() async throws {
        if let failure = await program.stop() { throw BacklogError("\(name) did not stop in order: \(failure)") }
    }

    var memory: Memory {
        get throws {
            let usage = try ProcessUsage(of: pid)
            return Memory(now: usage.resident >> 20, peak: usage.peak >> 20)
        }
    }

    /// Peaks count from now on.
    func resetPeak() throws { try ProcessUsage.resetPeak(of: pid) }

    private var pid: Int32 {
        get throws {
            guard let pid = program.pid else { throw BacklogError("\(name) is dead: \(program.lastWords)") }
            return pid
        }
    }
}
