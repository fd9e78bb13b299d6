import Synchronization

/// What clients saw, with the time since the kill.
final class TakeoverLog: Sendable {
    struct Contents: Sendable {
        /// Each delivery, in their order; negative times are before the kill.
        var deliveries: [(number: Int, at: ContinuousClock.Instant)] = []
        var questions: [(number: Int, at: ContinuousClock.Instant)] = []
        var start = ContinuousClock.now
    }

    private let state = Mutex(Contents())

    var contents: Contents { state.withLock { $0 } }
    var startedAt: ContinuousClock.Instant { state.withLock { $0.start } }

    /// Times count from now.
    func start() { state.withLock { $0.start = .now } }

    func delivered(_ number: Int) { state.withLock { $0.deliveries.append((number, .now)) } }

    func asked(_ number: Int) { state.withLock { $0.questions.append((number, .now)) } }
}
