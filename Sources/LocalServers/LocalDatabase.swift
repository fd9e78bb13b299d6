/// A database server of this machine, whichever it is.
package protocol LocalDatabase: AnyObject, Sendable {
    var port: Int { get }
    /// The path of its Unix socket, where root has no password.
    var socket: String { get }
    var dataDirectory: String { get }
    /// What it prints is appended to this file.
    var log: String { get }
    /// Nil where it does not run.
    var pid: Int32? { get }

    /// Starts it, and returns when it answers; with options and variables of this start alone.
    func start(with more: [String], environment: [String: String], within limit: Duration) async throws
    func stop(within limit: Duration) async
    func kill() async
    func pause()
    func resume()
}

extension LocalDatabase {
    package func start(within limit: Duration) async throws {
        try await start(with: [], environment: [:], within: limit)
    }
}

extension LocalMariaDB: LocalDatabase {}
extension LocalMySQL: LocalDatabase {}
