import Dispatch
import MariaDB

extension Database {
    /// Runs `body` while another session holds the locks that these statements take, in one transaction; it then runs
    /// the last statement, and commits.
    func whileLocked(
        by statements: String..., then last: String? = nil, _ body: () async throws -> Void
    ) async throws {
        let (locked, isLocked) = AsyncStream<Void>.makeStream()
        let over = DispatchSemaphore(value: 0)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try await connected { connection in
                    defer { isLocked.finish() }
                    try connection.simple("BEGIN")
                    for statement in statements { _ = try connection.simpleRows(statement) }
                    isLocked.finish()
                    // A connection has a thread of its own, which may wait.
                    over.wait()
                    if let last { _ = try connection.simpleRows(last) }
                    try connection.simple("COMMIT")
                }
            }
            for await _ in locked {}
            do {
                defer { over.signal() }
                try await body()
            }
            try await tasks.waitForAll()
        }
    }
}
