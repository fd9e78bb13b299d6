package import Foundation
package import Logging

/// A program of this package that serves, as a process of its own: started, stopped, killed, paused.
///
/// It dies with this process, however that ends, and when this object is let go.
package final class LocalProgram: Sendable {
    private let command: [String]
    private let ready: String
    private let process: ServerProcess

    /// - Parameters:
    ///   - command: the program's path, and its arguments.
    ///   - ready: what it prints once it serves.
    ///   - log: what it prints is appended to this file.
    ///   - environment: all of it.
    package init(
        name: String, command: [String], ready: String, log: URL, environment: [String: String],
        logger: Logger = Logger(label: "program")
    ) {
        self.command = command
        self.ready = ready
        process = ServerProcess(name: name, log: log.path, environment: environment, logger: logger)
    }

    package var log: String { process.log }
    /// Nil where it does not run.
    package var pid: Int32? { process.pid }

    /// Starts it, and returns when it says that it serves.
    ///
    /// - Parameter environment: more of it, for this start alone.
    /// - Throws: `LocalServerError` with the tail of its log where it ends before, or does not say so in time.
    package func start(environment: [String: String] = [:], within limit: Duration = .seconds(60)) async throws {
        let before = process.logSize
        try await process.start(command, environment: environment, within: limit) {
            process.hasPrinted(ready, since: before)
        }
    }

    /// Asks it to end with SIGTERM, and kills it after the limit. Returns how it ended, in words; nil for status 0.
    package func stop(within limit: Duration = .seconds(30)) async -> String? {
        await process.stop(within: limit)
        return await end(within: .zero)
    }

    /// Kills it with SIGKILL, as a crash would, and returns when it is gone.
    package func kill() async { await process.kill() }

    /// Stops its threads where they are, with SIGSTOP.
    package func pause() { process.send(SIGSTOP) }

    package func resume() { process.send(SIGCONT) }

    /// Waits for its end, at most so long. Returns how it ended, in words; nil for status 0, and where it still runs.
    package func end(within limit: Duration) async -> String? {
        guard let exit = await process.exit(within: limit), exit != .code(0) else { return nil }
        return exit.description
    }

    /// The last errors of its log, or its last lines.
    package var lastWords: String { process.tail(from: 0) }

    /// Runs a program to its end.
    ///
    /// - Throws: `LocalServerError` with the tail of its log where its status is not 0 or it takes longer.
    package static func run(
        _ command: [String], log: URL, environment: [String: String], within limit: Duration,
        logger: Logger = Logger(label: "program")
    ) async throws {
        let process = ServerProcess(name: command[0], log: log.path, environment: environment, logger: logger)
        try await process.run(command, within: limit)
    }
}
