import Foundation
import Glibc
import Synchronization

/// A terminal with the command at it, and the test before it.
final class PseudoTerminal: Sendable {
    struct Failure: Error { let what: String }

    private let primary: Int32
    private let secondary: Int32
    private let written = Mutex<[UInt8]>([])
    private let isOver = Mutex(false)

    /// - Parameters:
    ///   - columns: of its size, as the command finds it.
    init(columns: Int, rows: Int) throws {
        var window = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        var (primary, secondary) = (Int32(-1), Int32(-1))
        guard openpty(&primary, &secondary, nil, nil, &window) == 0 else { throw Failure(what: "openpty") }
        // A command that has it open beside its standard streams would keep the test reading.
        for descriptor in [primary, secondary] {
            guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else { throw Failure(what: "fcntl") }
        }
        (self.primary, self.secondary) = (primary, secondary)
    }

    struct Outcome {
        var status: Int32
        /// All that was written.
        var text: String
        /// Whether the terminal treats keys as before.
        var isRestored: Bool
    }

    /// Runs the command at it, once, until it ends.
    /// - Parameter body: what the person before it does.
    func run(
        _ arguments: [String], environment: [String: String], _ body: (Process) async throws -> Void
    ) async throws -> Outcome {
        let before = try modes
        let process = Process()
        process.executableURL = CommandProcess.executable
        process.arguments = arguments
        process.environment = environment
        let handle = FileHandle(fileDescriptor: secondary, closeOnDealloc: false)
        (process.standardInput, process.standardOutput, process.standardError) = (handle, handle, handle)
        try process.run()
        Thread { [self] in read() }.start()
        try await body(process)
        try await eventually("the command ends") { !process.isRunning }
        let isRestored = try modes == before
        // What is not read yet is read to its end.
        close(secondary)
        try await eventually("all is read") { isOver.withLock { $0 } }
        close(primary)
        return Outcome(status: process.terminationStatus, text: text, isRestored: isRestored)
    }

    var text: String { written.withLock { String(decoding: $0, as: UTF8.self) } }

    func type(_ keys: String) throws {
        let bytes = Array(keys.utf8)
        guard write(primary, bytes, bytes.count) == bytes.count else { throw Failure(what: "write") }
    }

    func hasShown(_ words: String) async throws {
        try await eventually("'\(words)' is shown") { text.contains(words) }
    }

    /// How the terminal treats keys.
    var modes: UInt32 {
        get throws {
            var settings = termios()
            guard tcgetattr(secondary, &settings) == 0 else { throw Failure(what: "tcgetattr") }
            return settings.c_lflag
        }
    }

    private func eventually(_ what: String, _ isTrue: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !isTrue() {
            guard ContinuousClock.now < deadline else {
                throw Failure(what: "\(what): never; \(text.debugDescription)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Until the last end on the other side is closed.
    private func read() {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = Glibc.read(primary, &bytes, bytes.count)
            if count <= 0 { break }
            written.withLock { $0 += bytes.prefix(count) }
        }
        isOver.withLock { $0 = true }
    }
}
