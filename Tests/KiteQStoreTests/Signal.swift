import Foundation
import MariaDB
import Testing

/// A value that is sent once, and waited for by a task, or by the thread of a connection, which may block.
///
/// `@unchecked Sendable`: `sent` is guarded by `condition`.
final class Signal<Value: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private var sent: Value?

    /// What is sent later is dropped.
    func send(_ value: Value) {
        condition.withLock {
            if sent == nil { sent = value }
            condition.broadcast()
        }
    }

    var isSent: Bool { condition.withLock { sent != nil } }

    /// Blocks; nil when it is not there in time.
    func wait(within limit: TimeInterval = 60) -> Value? {
        let end = Date(timeIntervalSinceNow: limit)
        return condition.withLock {
            while sent == nil, condition.wait(until: end) {}
            return sent
        }
    }

    /// Nil when it is not there in time.
    func value(within limit: TimeInterval = 60) async -> Value? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: self.wait(within: limit)) }
        }
    }
}

/// Runs a body with a pool that is kept meanwhile, and returns when the pool has closed its connections.
func running<Result: Sendable>(
    _ pool: MariaDBPool, _ body: (MariaDBPool) async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { await pool.run() }
        defer { tasks.cancelAll() }
        return try await body(pool)
    }
}

struct NotInTime: Error {}

/// Waits until a condition holds.
func eventually(within limit: Duration = .seconds(20), _ isTrue: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !isTrue() {
        guard ContinuousClock.now < deadline else { throw NotInTime() }
        try await Task.sleep(for: .milliseconds(5))
    }
}
