import Glibc
import Synchronization
import UnixSignals

/// SIGTERM and SIGINT: the first asks for a stop in order, a second one ends the process at once.
struct SignalWatch: Sendable {
    /// What must be done even then; it must not wait.
    private let lastWords: @Sendable () -> Void

    init(lastWords: @escaping @Sendable () -> Void = {}) {
        self.lastWords = lastWords
    }

    /// Runs `body`; at the first signal `stop` is called and `body` is expected to return by itself.
    func run(stop: @escaping @Sendable () async -> Void, _ body: @escaping @Sendable () async throws -> Void)
        async throws
    {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                var isStopping = false
                for await signal in signals {
                    if isStopping {
                        lastWords()
                        StandardError.write("kiteq: ended at once by a second signal\n")
                        _exit(128 + (signal == .sigint ? SIGINT : SIGTERM))
                    }
                    isStopping = true
                    // Not awaited in this loop's way: the next signal must be heard meanwhile.
                    await stop()
                }
            }
            tasks.addTask { try await body() }
            defer { tasks.cancelAll() }
            // The watch ends only when it is cancelled: what ends first is the body.
            try await tasks.next()
        }
    }
}
