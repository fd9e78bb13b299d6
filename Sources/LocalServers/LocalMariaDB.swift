package import Foundation
package import Logging

/// A private MariaDB on a loopback port and a socket, with its data in a folder; its user root has no password.
///
/// It dies with this process, however that ends, and when this object is let go.
package final class LocalMariaDB: Sendable {
    package let port: Int
    private let options: [String]
    private let folder: DatabaseFolder
    private let process: ServerProcess

    /// - Parameters:
    ///   - dataDirectory: made where it is missing, kept between starts.
    ///   - options: further ones of mariadbd, such as `--innodb-buffer-pool-size=256M`. The binary log is off unless one asks
    ///     for it.
    package init(
        dataDirectory: URL, port: Int? = nil, options: [String] = [], logger: Logger = Logger(label: "mariadbd")
    ) throws {
        self.port = try port ?? LocalServers.freePort()
        self.options = options
        folder = DatabaseFolder(dataDirectory)
        process = ServerProcess(name: "mariadbd", log: folder.log, logger: logger)
    }

    package var socket: String { folder.socket }
    package var log: String { folder.log }
    package var dataDirectory: String { folder.data }
    /// Nil where it does not run.
    package var pid: Int32? { process.pid }

    /// Makes the database where there is none, starts the server, and returns when it answers.
    ///
    /// - Throws: `LocalServerError` where a program is missing, or with the tail of the log where the server does not start.
    package func start(within limit: Duration = .seconds(60)) async throws {
        let program = try LocalServers.program("mariadbd", "mysqld", package: "mariadb-server")
        try await prepare()
        var command = [
            program, "--no-defaults", "--datadir=\(folder.data)", "--tmpdir=\(folder.temporary)", "--socket=\(socket)",
            "--port=\(port)",
            "--bind-address=127.0.0.1", "--pid-file=\(folder.pidFile)",
        ]
        if geteuid() == 0, !options.contains(where: { $0.hasPrefix("--user=") }) { command.append("--user=root") }
        if !options.contains(where: { $0.hasPrefix("--log-bin") || $0.hasPrefix("--log_bin") }) {
            command.append("--skip-log-bin")
        }
        try await process.start(command + options, within: limit) { await DatabaseFolder.answers(port: port) }
    }

    /// Makes the database where there is none; `start` does it, too.
    package func prepare() async throws {
        let user = "--user=\(NSUserName())"
        try await folder.prepare { data in
            let installer = try LocalServers.program("mariadb-install-db", package: "mariadb-server")
            try await process.run(
                [
                    installer, "--no-defaults", "--datadir=\(data)", "--tmpdir=\(folder.temporary)", user,
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ], within: .seconds(120))
        }
    }

    /// Shuts it down, and kills it after the limit.
    package func stop(within limit: Duration = .seconds(30)) async { await process.stop(within: limit) }

    /// Kills it with SIGKILL, as a crash would.
    package func kill() async { await process.kill() }
}
