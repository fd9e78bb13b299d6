import KiteQBroker

extension Latch {
    /// Runs `body`, and cancels it when this is set; nil where that ended it.
    func cancels<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result? {
        try await withThrowingTaskGroup(of: Result?.self) { tasks in
            tasks.addTask {
                do {
                    return try await body()
                } catch let error where self.isSet {
                    // What breaks off because it was told to is no failure.
                    _ = error
                    return nil
                }
            }
            tasks.addTask {
                await self.wait()
                return nil
            }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? nil
        }
    }
}
