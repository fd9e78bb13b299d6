import Foundation
import Logging
import Synchronization

/// A server's process over its starts and stops, with its log.
final class ServerProcess: Sendable {
    let name: String
    let log: String
    private let environment: [String: String]?
    private let account: SystemAccount?
    private let logger: Logger
    private let child = Mutex<ChildProcess?>(nil)

    /// - Parameters:
    ///   - environment: all of it; nil is this process's own.
    ///   - account: whose rights it has; nil: this process's own.
    init(
        name: String, log: String, environment: [String: String]? = nil, account: SystemAccount? = nil, logger: Logger
    ) {
        self.name = name
        self.log = log
        self.environment = environment
        self.account = account
        self.logger = logger
    }

    deinit { child.withLock { $0?.send(SIGKILL) } }

    var pid: Int32? {
        child.withLock { child in
            guard let child, child.exit == nil else { return nil }
            return child.pid
        }
    }

    /// Starts it, and returns when `isUp` says so.
    ///
    /// - Throws: `LocalServerError` with the tail of its log where it ends before, or is not up in time; then nothing runs.
    ///
    /// - Parameter environment: more of it, for this start alone.
    func start(
        _ command: [String], environment more: [String: String] = [:], within limit: Duration,
        isUp: () async -> Bool
    ) async throws {
        guard pid == nil else { throw LocalServerError("\(name) runs already") }
        let logStart = logSize
        let process = try ChildProcess(
            command, output: log,
            environment: more.isEmpty
                ? environment
                : (environment ?? ProcessInfo.processInfo.environment).merging(more) { _, new in new },
            account: account)
        child.withLock { $0 = process }
        logger.debug("starting", metadata: ["server": "\(name)", "pid": "\(process.pid)"])
        let deadline = ContinuousClock.now + limit
        while await !isUp() || process.exit != nil {
            if let exit = await process.exit(within: .milliseconds(20)) {
                throw LocalServerError(
                    "\(name) did not start, \(exit); its log \(log) says: \(tail(from: logStart))")
            }
            if Task.isCancelled || ContinuousClock.now > deadline {
                await kill()
                try Task.checkCancellation()
                throw LocalServerError(
                    "\(name) was not up within \(limit); its log \(log) says: \(tail(from: logStart))")
            }
        }
    }

    /// Runs a program to its end.
    func run(_ command: [String], within limit: Duration) async throws {
        let logStart = logSize
        let process = try ChildProcess(command, output: log, environment: environment, account: account)
        guard let exit = await process.exit(within: limit) else {
            process.send(SIGKILL)
            throw LocalServerError(
                "\(command[0]) did not end within \(limit); \(log) says: \(tail(from: logStart))")
        }
        guard exit == .code(0) else {
            throw LocalServerError("\(command[0]) failed, \(exit); \(log) says: \(tail(from: logStart))")
        }
    }

    /// Asks it to end with SIGTERM, kills it after the limit, and returns when it is gone.
    func stop(within limit: Duration) async {
        guard let process = child.withLock({ $0 }) else { return }
        process.send(SIGTERM)
        if await process.exit(within: limit) == nil {
            logger.warning("killed, it did not end in time", metadata: ["server": "\(name)", "limit": "\(limit)"])
            await kill()
        }
    }

    /// Kills it with SIGKILL, and returns when it is gone.
    func kill() async {
        guard let process = child.withLock({ $0 }) else { return }
        process.send(SIGKILL)
        _ = await process.exit(within: .seconds(60))
    }

    /// Sends a signal, such as SIGSTOP; nothing where it does not run.
    func send(_ signal: Int32) { child.withLock { $0 }?.send(signal) }

    /// Waits for its end, at most so long; nil where it still runs then, or never ran.
    func exit(within limit: Duration) async -> ChildProcess.Exit? {
        await child.withLock { $0 }?.exit(within: limit)
    }

    // MARK: Log

    /// Whether it has printed this since its last start began at `start`.
    func hasPrinted(_ text: String, since start: UInt64) -> Bool {
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: log))
            defer { close(file) }
            try file.seek(toOffset: start)
            return (try file.readToEnd() ?? Data()).firstRange(of: Data(text.utf8)) != nil
        } catch {
            return false  // Not made yet.
        }
    }

    var logSize: UInt64 {
        var status = stat()
        return stat(log, &status) == 0 ? UInt64(status.st_size) : 0
    }

    /// The last errors written since `start`, or where there is none the last lines, in one line.
    func tail(from start: UInt64) -> String {
        let size = logSize
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: log))
            defer { close(file) }
            try file.seek(toOffset: max(start, size > 20_000 ? size - 20_000 : 0))
            let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
            let lines = text.split(separator: "\n")
            // Programs like to end with advice: what failed stands before it.
            let errors = lines.filter { $0.contains("ERROR") }.suffix(4)
            let last = errors.isEmpty ? lines.suffix(8) : errors
            return last.isEmpty ? "(nothing)" : last.joined(separator: " | ")
        } catch {
            return "(unreadable: \(error))"
        }
    }

    private func close(_ file: FileHandle) {
        do {
            try file.close()
        } catch {
            logger.debug("the log could not be closed", metadata: ["error": "\(error)"])
        }
    }
}
