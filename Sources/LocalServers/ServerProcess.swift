import Foundation
import Logging
import Synchronization

/// A server's process over its starts and stops, with its log.
final class ServerProcess: Sendable {
    let name: String
    let log: String
    private let logger: Logger
    private let child = Mutex<ChildProcess?>(nil)

    init(name: String, log: String, logger: Logger) {
        self.name = name
        self.log = log
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
    func start(_ command: [String], within limit: Duration, isUp: () async -> Bool) async throws {
        guard pid == nil else { throw LocalServerError("\(name) runs already") }
        let logStart = logSize
        let process = try ChildProcess(command, output: log)
        child.withLock { $0 = process }
        logger.debug("starting", metadata: ["server": "\(name)", "pid": "\(process.pid)"])
        let deadline = ContinuousClock.now + limit
        while await !isUp() || process.exit != nil {
            if let exit = await process.exit(within: .milliseconds(20)) {
                throw LocalServerError(
                    "\(name) did not start, \(exit); its log \(log) ends with: \(tail(from: logStart))")
            }
            if Task.isCancelled || ContinuousClock.now > deadline {
                await kill()
                try Task.checkCancellation()
                throw LocalServerError(
                    "\(name) was not up within \(limit); its log \(log) ends with: \(tail(from: logStart))")
            }
        }
    }

    /// Runs a program to its end.
    func run(_ command: [String], within limit: Duration) async throws {
        let logStart = logSize
        let process = try ChildProcess(command, output: log)
        guard let exit = await process.exit(within: limit) else {
            process.send(SIGKILL)
            throw LocalServerError(
                "\(command[0]) did not end within \(limit); \(log) ends with: \(tail(from: logStart))")
        }
        guard exit == .code(0) else {
            throw LocalServerError("\(command[0]) failed, \(exit); \(log) ends with: \(tail(from: logStart))")
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

    // MARK: Log

    private var logSize: UInt64 {
        var status = stat()
        return stat(log, &status) == 0 ? UInt64(status.st_size) : 0
    }

    /// The last lines written since `start`, in one line.
    private func tail(from start: UInt64) -> String {
        let size = logSize
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: log))
            defer { close(file) }
            try file.seek(toOffset: max(start, size > 2_000 ? size - 2_000 : 0))
            let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
            let lines = text.split(separator: "\n").suffix(8)
            return lines.isEmpty ? "(nothing)" : lines.joined(separator: " | ")
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
