import Glibc
import KiteQBroker
import UnixSignals

/// SIGTERM and SIGINT: the first asks for a stop in order, a second one ends the process at once. SIGHUP, where somebody
/// listens for it, asks for the configuration to be read again.
enum SignalWatch {
    /// Runs `body`; at the first signal `stop` is set, and `body` is expected to return by itself.
    static func run(
        _ stop: Latch, onHangup: (@Sendable () async -> Void)? = nil,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let signals = await UnixSignalsSequence(trapping: [.sigterm, .sigint] + (onHangup == nil ? [] : [.sighup]))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for await signal in signals {
                    if let onHangup, signal == .sighup {
                        await onHangup()
                        continue
                    }
                    if stop.isSet {
                        StandardError.write("kiteq: ended at once by a second signal\n")
                        _exit(128 + (signal == .sigint ? SIGINT : SIGTERM))
                    }
                    stop.set()
                }
            }
            tasks.addTask { try await body() }
            defer { tasks.cancelAll() }
            // The watch ends only when it is cancelled: what ends first is the body.
            try await tasks.next()
        }
    }
}
