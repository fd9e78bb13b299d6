/// What was to be done was not, in the time that it had.
struct DeadlinePassed: Error {
    let limit: Duration
}

/// Runs `body`, and cancels it when `limit` has passed.
/// - Throws: ``DeadlinePassed``, or what `body` throws.
func withDeadline<Result: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { tasks in
        tasks.addTask { try await body() }
        tasks.addTask {
            try await Task.sleep(for: limit)
            throw DeadlinePassed(limit: limit)
        }
        defer { tasks.cancelAll() }
        guard let first = try await tasks.next() else { preconditionFailure("two tasks were begun") }
        return first
    }
}
