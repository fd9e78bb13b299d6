import Foundation
import LocalServers

/// One broker of a run: the kiteq that was built next to this program.
struct BrokerProcess: Sendable {
    /// `127.0.0.1:port`
    let address: String
    let name: String
    private let program: LocalProgram

    static var executable: String {
        URL(fileURLWithPath: "/proc/self/exe".resolved).deletingLastPathComponent().appending(path: "kiteq").path
    }

    /// What is left of this process's environment must not configure the broker.
    static var environment: [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KITEQ_") }
    }

    init(number: Int, store: String, registry: String, log: URL, options: [String]) throws {
        address = "127.0.0.1:\(try LocalServers.freePort())"
        name = "broker-\(number)"
        var command = [
            Self.executable, "serve", "--bind", address, "--name", name, "--store", store, "--registry", registry,
            "--topics", Stage.topic, "--log-level", "notice",
        ]
        for option in options { command += ["--set", option] }
        program = LocalProgram(
            name: name, command: command, ready: "kiteq: serving", log: log, environment: Self.environment,
            logger: quiet)
    }

    func start() async throws { try await program.start() }

    func kill() async { await program.kill() }

    func stop() async throws {
        if let failure = await program.stop() { throw BacklogError("\(name) did not stop in order: \(failure)") }
    }

    /// Resident memory now, and the most there ever was, in MiB.
    var memory: (now: Int, most: Int) {
        get throws {
            guard let pid = program.pid else { throw BacklogError("\(name) is dead: \(program.lastWords)") }
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            func kibibytes(_ name: String) throws -> Int {
                let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
                guard let value = line?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first,
                    let number = Int(value)
                else { throw BacklogError("/proc/\(pid)/status has no \(name)") }
                return number
            }
            return (try kibibytes("VmRSS") / 1_024, try kibibytes("VmHWM") / 1_024)
        }
    }
}
