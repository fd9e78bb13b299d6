package import LocalServers

/// The database, whichever it is.
package protocol DatabaseServer: Sendable {
    var port: Int { get }
    func start(within limit: Duration) async throws
    func stop(within limit: Duration) async
    func kill() async
}

extension LocalMariaDB: DatabaseServer {}
extension LocalMySQL: DatabaseServer {}
