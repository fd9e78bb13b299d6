import Foundation
import Synchronization

/// A child process that dies with this one, even when this one is killed.
///
/// It has a process group of its own, so that Ctrl-C in a terminal reaches this process alone, which then decides about
/// its servers; it inherits no file but its standard ones.
final class ChildProcess: Sendable {
    enum Exit: Sendable, Hashable, CustomStringConvertible {
        case code(Int32)
        case signal(Int32)

        var description: String {
            switch self {
            case .code(let code): "it ended with status \(code)"
            case .signal(let signal): "it was ended by signal \(signal)"
            }
        }
    }

    private struct State {
        var exit: Exit?
        var waiters: [Int: CheckedContinuation<Exit?, Never>] = [:]
        var nextWaiter = 0
    }

    let pid: pid_t
    private let state = Mutex(State())

    /// Starts a program.
    /// - Parameters:
    ///   - command: the program's path, and its arguments.
    ///   - output: a file that what it prints is appended to.
    ///   - environment: all of it; nil is this process's own.
    ///   - account: whose rights it has; nil: this process's own.
    init(
        _ command: [String], output: String, environment: [String: String]? = nil, account: SystemAccount? = nil
    ) throws {
        // setpriv sets the death signal and then becomes the program: the process id stays. A program that gave up its rights by
        // itself would lose the signal with them.
        let setpriv = try LocalServers.program("setpriv", package: "util-linux")
        let rights = account.map { ["--reuid=\($0.user)", "--regid=\($0.group)", "--clear-groups"] } ?? []
        let arguments = [setpriv] + rights + ["--pdeathsig", "KILL", "--"] + command
        let (pid, code) = SpawnThread.shared.run {
            Self.spawn(arguments, output: output, environment: environment)
        }
        guard code == 0 else {
            throw LocalServerError("\(command[0]) could not be started: \(String(cString: strerror(code)))")
        }
        self.pid = pid
        Thread.detachNewThread { [self] in reap() }
    }

    private static func spawn(
        _ arguments: [String], output: String, environment: [String: String]?
    ) -> (pid_t, Int32) {
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&files, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&files, 1, 2)
        for descriptor in openFiles() where descriptor > 2 {
            posix_spawn_file_actions_addclose(&files, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What this process ignores or blocks must not hold for the child.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var argv = arguments.map { strdup($0) }
        defer { for argument in argv { free(argument) } }
        argv.append(nil)
        var pid: pid_t = 0
        guard let environment else {
            let code = posix_spawn(&pid, arguments[0], &files, &attributes, argv, environ)
            return (pid, code)
        }
        var variables = environment.map { strdup("\($0.key)=\($0.value)") }
        defer { for variable in variables { free(variable) } }
        variables.append(nil)
        let code = posix_spawn(&pid, arguments[0], &files, &attributes, argv, variables)
        return (pid, code)
    }

    /// Not every library marks its files to be closed in children; a server that held a listening socket of ours would
    /// keep its port. (Glibc ignores it where one of these is closed already.)
    private static func openFiles() -> [Int32] {
        guard let folder = opendir("/proc/self/fd") else { return [] }
        defer { closedir(folder) }
        var files: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let file = Int32(name) { files.append(file) }
        }
        return files
    }

    // MARK: Its end

    /// Nil while it runs.
    var exit: Exit? { state.withLock { $0.exit } }

    /// Waits for its end, at most so long: nil where it still runs then. A cancelled task waits too.
    func exit(within limit: Duration) async -> Exit? {
        await withCheckedContinuation { continuation in
            let waiter: Int? = state.withLock { state in
                if state.exit != nil { return nil }
                state.nextWaiter += 1
                state.waiters[state.nextWaiter] = continuation
                return state.nextWaiter
            }
            guard let waiter else { return continuation.resume(returning: exit) }
            let (seconds, attoseconds) = limit.components
            let time = DispatchTime.now() + Double(seconds) + Double(attoseconds) / 1e18
            DispatchQueue.global().asyncAfter(deadline: time) { [self] in
                state.withLock { $0.waiters.removeValue(forKey: waiter) }?.resume(returning: nil)
            }
        }
    }

    /// Does nothing once it has ended: its number may be another's by then.
    func send(_ signal: Int32) {
        state.withLock { state in
            if state.exit == nil { Glibc.kill(pid, signal) }
        }
    }

    private func reap() {
        var info = siginfo_t()
        // Its number stays taken until the state says that it ended: so nobody signals a stranger.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        let (exit, waiters) = state.withLock { state in
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            let exit: Exit = status & 0x7f == 0 ? .code((status >> 8) & 0xff) : .signal(status & 0x7f)
            state.exit = exit
            defer { state.waiters = [:] }
            return (exit, Array(state.waiters.values))
        }
        for waiter in waiters { waiter.resume(returning: exit) }
    }
}
