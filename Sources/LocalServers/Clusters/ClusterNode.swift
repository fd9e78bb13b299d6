import Foundation
import Synchronization

/// One server of a cluster.
package final class ClusterNode: Sendable, CustomStringConvertible {
    /// From 1.
    package let number: Int
    package let database: any LocalDatabase
    private let paused = Mutex(false)

    init(number: Int, _ database: any LocalDatabase) {
        self.number = number
        self.database = database
    }

    package var port: Int { database.port }
    package var description: String { "node \(number)" }
    /// Whether its process is there and its threads run.
    package var isRunning: Bool { database.pid != nil && !paused.withLock { $0 } }

    /// Stops its threads where they are, with SIGSTOP.
    package func pause() {
        paused.withLock { $0 = true }
        database.pause()
    }

    package func goOn() {
        database.resume()
        paused.withLock { $0 = false }
    }

    /// Kills it with SIGKILL, as a crash would; one that is paused too.
    package func kill() async {
        await database.kill()
        paused.withLock { $0 = false }
    }

    package func stop(within limit: Duration = .seconds(90)) async { await database.stop(within: limit) }

    // MARK: Statements

    /// Runs statements over one connection, and returns the rows of the last one.
    ///
    /// - Parameters:
    ///   - user: root unless it is said.
    ///   - limit: of each read; whole seconds.
    /// - Throws: `DBAError`.
    @discardableResult
    package func run(
        _ statements: String..., user: String = "root", password: String = "", within limit: Duration = .seconds(20)
    ) async throws -> [DBARow] {
        try await run(statements, user: user, password: password, within: limit)
    }

    @discardableResult
    package func run(
        _ statements: [String], user: String = "root", password: String = "", within limit: Duration = .seconds(20)
    ) async throws -> [DBARow] {
        let socket = database.socket
        return try await withCheckedThrowingContinuation { continuation in
            // It blocks for as long as the server takes, which no thread of the cooperative pool may.
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result {
                        let session = try DBASession(socket: socket, user: user, password: password, within: limit)
                        return try statements.reduce([]) { _, sql in try session.rows(sql) }
                    })
            }
        }
    }

    /// The last column of the first row, where a status or a variable has its value.
    package func value(of sql: String, within limit: Duration = .seconds(5)) async throws -> String? {
        try await run(sql, within: limit).first?.values.last ?? nil
    }

    /// Nil where it cannot be had: the server is away, or says nothing.
    package func status(_ name: String) async -> String? {
        guard isRunning else { return nil }
        do {
            return try await value(of: "SHOW GLOBAL STATUS LIKE '\(name)'", within: .seconds(3))
        } catch {
            return nil  // What is not known is not what is asked for.
        }
    }

    /// Whether it takes writes of users that are not above `read_only`.
    package var isWritable: Bool {
        get async {
            guard isRunning else { return false }
            do {
                let value = try await value(of: "SELECT @@global.read_only", within: .seconds(3))
                return value == "0" || value == "OFF"
            } catch {
                return false  // Nothing can be written to who cannot be asked.
            }
        }
    }
}
