import Synchronization

/// What one request, or its answer, has of a ``MemoryBudget``; it comes back at the end of the lease, and of the object at the latest.
final class MemoryLease: Sendable {
    /// That of the bodies of the request that is worked on.
    @TaskLocal static var current: MemoryLease?

    private let budget: MemoryBudget
    private let keys: [String]
    private let bytes = Mutex(0)

    /// - Parameter keys: whom it counts for.
    init(_ budget: MemoryBudget, for keys: [String]) {
        self.budget = budget
        self.keys = keys
    }

    deinit { end() }

    /// Takes more. False where there is no room; what it has it keeps.
    func take(_ more: Int) -> Bool {
        guard budget.take(more, for: keys) else { return false }
        bytes.withLock { $0 += more }
        return true
    }

    /// The same, and waits a moment for others to give it back.
    func takeInTime(_ more: Int) async -> Bool {
        guard await budget.takeInTime(more, for: keys) else { return false }
        bytes.withLock { $0 += more }
        return true
    }

    /// All of it comes back.
    func end() {
        let had = bytes.withLock { bytes in
            defer { bytes = 0 }
            return bytes
        }
        if had > 0 { budget.giveBack(had, for: keys) }
    }
}
