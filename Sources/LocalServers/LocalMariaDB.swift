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
    ///   - account: a user of this machine, whose rights the server is given where this process is root's; it must be able to
    ///     reach the folder. Nil: it is root's too.
    ///   - environment: all of it; nil is this process's own.
    package init(
        dataDirectory: URL, port: Int? = nil, options: [String] = [], account: String? = nil,
        environment: [String: String]? = nil, logger: Logger = Logger(label: "mariadbd")
    ) throws {
        self.port = try port ?? LocalServers.freePort()
        self.options = options
        let owner = geteuid() == 0 ? try account.map(SystemAccount.init(named:)) : nil
        folder = DatabaseFolder(dataDirectory, owner: owner)
        process = ServerProcess(
            name: "mariadbd", log: folder.log, environment: environment, account: owner, logger: logger)
    }

    package var socket: String { folder.socket }
    package var log: String { folder.log }
    package var dataDirectory: String { folder.data }
    /// Nil where it does not run.
    package var pid: Int32? { process.pid }

    /// Makes the database where there is none, starts the server, and returns when it answers.
    ///
    /// - Parameters:
    ///   - more: options of this start alone.
    ///   - environment: variables of this start alone, besides the others.
    /// - Throws: `LocalServerError` where a program is missing, or with the tail of the log where the server does not start.
    package func start(
        with more: [String] = [], environment: [String: String] = [:], within limit: Duration = .seconds(60)
    ) async throws {
        try await prepare()
        try await process.start(command(more), environment: environment, within: limit) {
            await DatabaseFolder.answers(port: port)
        }
    }

    /// Makes the database where there is none.
    package func prepare() async throws {
        try await folder.prepare { data in
            let installer = try LocalServers.program("mariadb-install-db", package: "mariadb-server")
            try await process.run(
                [
                    installer, "--no-defaults", "--datadir=\(data)", "--tmpdir=\(folder.temporary)",
                    "--user=\(folder.owner == nil ? NSUserName() : "")", "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ].filter { $0 != "--user=" }, within: .seconds(120))
        }
    }

    /// Makes the database of that of another server, which is prepared and has not been started.
    package func prepare(copying other: LocalMariaDB) async throws {
        try await folder.prepare { data in
            try await process.run(["/bin/cp", "-a", other.folder.data + "/.", data], within: .seconds(120))
        }
    }

    /// Runs the server with these options to its end, such as `--wsrep-recover`.
    package func run(with more: [String], within limit: Duration) async throws {
        try await process.run(command(more), within: limit)
    }

    private func command(_ more: [String]) throws -> [String] {
        var command = [
            try LocalServers.program("mariadbd", "mysqld", package: "mariadb-server"), "--no-defaults",
            "--datadir=\(folder.data)", "--tmpdir=\(folder.temporary)", "--socket=\(socket)", "--port=\(port)",
            "--bind-address=127.0.0.1", "--pid-file=\(folder.pidFile)",
        ]
        if geteuid() == 0, folder.owner == nil, !options.contains(where: { $0.hasPrefix("--user=") }) {
            command.append("--user=root")
        }
        if !options.contains(where: { $0.hasPrefix("--log-bin") || $0.hasPrefix("--log_bin") }) {
            command.append("--skip-log-bin")
        }
        return command + options + more
    }

    /// Shuts it down, and kills it after the limit.
    package func stop(within limit: Duration = .seconds(30)) async { await process.stop(within: limit) }

    /// Kills it with SIGKILL, as a crash would.
    package func kill() async { await process.kill() }

    /// Stops its threads where they are, with SIGSTOP.
    package func pause() { process.send(SIGSTOP) }

    package func resume() { process.send(SIGCONT) }
}
