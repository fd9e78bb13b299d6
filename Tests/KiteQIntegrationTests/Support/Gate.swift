import Synchronization

/// Handlers wait in front of it until it is opened, or for as many as are let through.
final class Gate: Sendable {
    private let passes = Mutex(0)

    func open() { letThrough(.max) }

    var isOpen: Bool { passes.withLock { $0 == .max } }

    /// Lets so many more through.
    func letThrough(_ count: Int) { passes.withLock { $0 = count == .max ? .max : $0 + count } }

    func pass() async throws {
        while !take() { try await Task.sleep(for: .milliseconds(5)) }
    }

    private func take() -> Bool {
        passes.withLock { passes in
            guard passes > 0 else { return false }
            if passes < .max { passes -= 1 }
            return true
        }
    }
}
