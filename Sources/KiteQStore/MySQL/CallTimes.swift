import KiteQCore
import Synchronization

/// How long a shard's calls took, by what they were for. A lock for each call, which is a round trip to the server at least.
final class CallTimes: Sendable {
    private let calls = Mutex([StoreActivity.Kind: StoreActivity.Calls]())

    var all: [StoreActivity.Kind: StoreActivity.Calls] { calls.withLock { $0 } }

    /// Carries a call out; one that fails counts as that, one that is cancelled as nothing.
    func measure<Result: Sendable>(
        _ kind: StoreActivity.Kind, _ call: () async throws -> Result
    ) async throws -> Result {
        let start = ContinuousClock.now
        do {
            let result = try await call()
            let duration = Int64((ContinuousClock.now - start) / .nanoseconds(1))
            calls.withLock { $0[kind, default: .init()].times.record(duration) }
            return result
        } catch {
            if !(error is CancellationError) { calls.withLock { $0[kind, default: .init()].failures += 1 } }
            throw error
        }
    }
}
