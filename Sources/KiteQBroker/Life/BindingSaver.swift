import KiteQCore
import Logging
import Synchronization

/// Saves the bindings in the store for a start without the registry: the newest, as soon as the store takes them.
final class BindingSaver: Sendable {
    private struct Wanted {
        var bindings: [Binding]
        var topics: [String]
    }

    private let store: any BindingStore
    private let clock: any ProcessClock
    private let logger: Logger
    private let wanted = Mutex<Wanted?>(nil)
    private let changed = Wakeup()

    init(store: any BindingStore, clock: any ProcessClock, logger: Logger) {
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    /// Returns at once.
    func save(_ bindings: [Binding], of topics: [String]) {
        wanted.withLock { $0 = Wanted(bindings: bindings, topics: topics) }
        changed.signal()
    }

    /// Runs until its task is cancelled.
    func run() async {
        var failures = FailureStreak("save the bindings for a start without the registry", logger)
        for await _ in changed.signals {
            while let newest = wanted.withLock({ $0.take() }), !Task.isCancelled {
                do {
                    try await store.saveBindings(newest.bindings, topics: newest.topics)
                    failures.end()
                } catch {
                    failures.add(error)
                    // Unless there are newer ones meanwhile.
                    wanted.withLock { $0 = $0 ?? newest }
                    await clock.pause(.seconds(1))
                }
            }
        }
    }
}
