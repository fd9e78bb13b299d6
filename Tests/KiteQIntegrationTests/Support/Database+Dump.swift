import Foundation
import LocalServers

/// A dump of one shard's database, as an administrator makes it.
struct DatabaseDump: Sendable {
    private let database: Database
    private let shard: Int
    private let folder: URL

    private var file: String { folder.appending(path: "dump.sql").path }

    static func of(_ database: Database, shard: Int) async throws -> DatabaseDump {
        let dump = DatabaseDump(
            database: database, shard: shard, folder: try LocalServers.temporaryFolder("dump"))
        let program = try LocalServers.program("mariadb-dump", package: "mariadb-client")
        try await dump.run("'\(program)' \(dump.server) --single-transaction --quick \(dump.name) > '\(dump.file)'")
        return dump
    }

    /// Plays it back into the same database, as it is.
    func playBack() async throws {
        let program = try LocalServers.program("mariadb", package: "mariadb-client-core")
        try await run("'\(program)' \(server) \(name) < '\(file)'")
    }

    private var name: String { "\(database.name)_\(shard)" }
    private var server: String {
        "--no-defaults --protocol=TCP --host=127.0.0.1 --port=\(database.server.port) --user=root"
    }

    private func run(_ command: String) async throws {
        try await LocalProgram.run(
            ["/bin/sh", "-c", command], log: folder.appending(path: "log"), environment: [:], within: .seconds(60))
    }
}
