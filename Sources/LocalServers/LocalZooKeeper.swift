package import Foundation
package import Logging

/// A private ZooKeeper on a loopback port, with its data in a folder.
///
/// It dies with this process, however that ends, and when this object is let go.
package final class LocalZooKeeper: Sendable {
    package let port: Int
    private let folder: URL
    private let process: ServerProcess

    /// - Parameter dataDirectory: made where it is missing, kept between starts.
    package init(dataDirectory: URL, port: Int? = nil, logger: Logger = Logger(label: "zookeeper")) throws {
        self.port = try port ?? LocalServers.freePort()
        folder = dataDirectory
        process = ServerProcess(name: "ZooKeeper", log: folder.appending(path: "server.log").path, logger: logger)
    }

    /// `host:port`
    package var server: String { "127.0.0.1:\(port)" }
    /// Nil where it does not run.
    package var pid: Int32? { process.pid }

    /// Starts the server, and returns when it serves.
    ///
    /// - Throws: `LocalServerError` where Java or ZooKeeper is missing, or with the tail of the log.
    package func start(within limit: Duration = .seconds(60)) async throws {
        let java = try LocalServers.program("java", package: "default-jre-headless")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // A tick bounds the shortest session: two of them.
        let settings = """
            tickTime=500
            dataDir=\(folder.path)/data
            clientPort=\(port)
            clientPortAddress=127.0.0.1
            admin.enableServer=false
            4lw.commands.whitelist=srvr
            """
        let file = folder.appending(path: "zoo.cfg")
        try settings.write(to: file, atomically: true, encoding: .utf8)
        let command = [
            java, "-Xmx96m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
            "/etc/zookeeper/conf:/usr/share/java/*", "org.apache.zookeeper.server.quorum.QuorumPeerMain", file.path,
        ]
        try await process.start(command, within: limit) {
            guard let answer = await LoopbackProbe.answer(port: port, question: "srvr") else { return false }
            return String(decoding: answer, as: UTF8.self).contains("Mode:")
        }
    }

    /// Ends it, and kills it after the limit.
    package func stop(within limit: Duration = .seconds(10)) async { await process.stop(within: limit) }

    /// Kills it with SIGKILL, as a crash would.
    package func kill() async { await process.kill() }
}
