import Glibc
import NIOCore
import NIOPosix

/// Finds out before anything starts that a port is taken: a database that answers there would be somebody else's.
enum PortCheck {
    /// - Throws: ``CommandError`` that names the flag with which to choose another.
    static func require(_ endpoint: Endpoint, flag: String) async throws {
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: endpoint.host, port: endpoint.port).get()
            try await channel.close()
        } catch let error as IOError {
            let why = String(cString: strerror(error.errnoCode))
            throw CommandError(
                "cannot listen on \(endpoint) (\(why)): is kiteq dev running already? \(flag) chooses another port")
        }
    }
}
