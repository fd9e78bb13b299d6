package import Foundation
package import Logging

/// A private MySQL on a loopback port and a socket, from an unpacked folder; its user root has no password.
///
/// It dies with this process, however that ends, and when this object is let go. The binary log is on, as is MySQL's default.
package final class LocalMySQL: Sendable {
    /// The folder that MySQL's packages were unpacked into (`usr/sbin/mysqld` is in it): KITEQ_MYSQL_ROOT. Nil where
    /// there is none.
    package static var root: String? {
        guard let root = ProcessInfo.processInfo.environment["KITEQ_MYSQL_ROOT"], !root.isEmpty else { return nil }
        return root
    }

    package let port: Int
    private let root: String
    private let options: [String]
    private let folder: DatabaseFolder
    private let process: ServerProcess

    /// - Parameters:
    ///   - dataDirectory: made where it is missing, kept between starts.
    ///   - options: further ones of mysqld.
    package init(
        root: String, dataDirectory: URL, port: Int? = nil, options: [String] = [],
        logger: Logger = Logger(label: "mysqld")
    ) throws {
        self.port = try port ?? LocalServers.freePort()
        self.root = root
        self.options = options
        folder = DatabaseFolder(dataDirectory)
        process = ServerProcess(name: "mysqld", log: folder.log, logger: logger)
    }

    package var socket: String { folder.socket }
    package var log: String { folder.log }
    /// Its certificates are here: `ca.pem` signed the server's.
    package var dataDirectory: String { folder.data }
    /// Nil where it does not run.
    package var pid: Int32? { process.pid }

    /// Makes the database where there is none, starts the server, and returns when it answers.
    ///
    /// - Parameters:
    ///   - more: options of this start alone.
    ///   - environment: variables of this start alone, besides this process's own.
    /// - Throws: `LocalServerError` where a program is missing, or with the tail of the log where the server does not start.
    package func start(
        with more: [String] = [], environment: [String: String] = [:], within limit: Duration = .seconds(120)
    ) async throws {
        try await prepare()
        let command =
            try program + [
                "--datadir=\(folder.data)", "--tmpdir=\(folder.temporary)", "--socket=\(socket)", "--port=\(port)",
                "--bind-address=127.0.0.1",
                "--pid-file=\(folder.pidFile)", "--mysqlx=OFF", "--secure-file-priv=NULL",
            ]
        try await process.start(command + options + more, environment: environment, within: limit) {
            await DatabaseFolder.answers(port: port)
        }
    }

    /// Makes the database where there is none.
    package func prepare() async throws {
        let program = try program
        try await folder.prepare { data in
            // MySQL makes root@localhost alone, and a machine may have no name for 127.0.0.1.
            let grants = folder.folder + "/grants.sql"
            try """
            CREATE USER root@'127.0.0.1';
            GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;

            """.write(toFile: grants, atomically: true, encoding: .utf8)
            try await process.run(
                program + [
                    "--initialize-insecure", "--datadir=\(data)", "--tmpdir=\(folder.temporary)",
                    "--init-file=\(grants)",
                ], within: .seconds(180)
            )
        }
    }

    /// Makes the database of that of another server, which is prepared and has not been started.
    package func prepare(copying other: LocalMySQL) async throws {
        try await folder.prepare { data in
            try await process.run(["/bin/cp", "-a", other.folder.data + "/.", data], within: .seconds(120))
            // It tells servers apart, and is made at the first start.
            try await process.run(["/bin/rm", "-f", data + "/auto.cnf"], within: .seconds(20))
        }
    }

    /// mysqld with the libraries of its own folder: those of this machine may be older.
    private var program: [String] {
        get throws {
            let libraries = root + "/usr/lib/x86_64-linux-gnu"
            let loader = libraries + "/ld-linux-x86-64.so.2"
            let server = root + "/usr/sbin/mysqld"
            for file in [loader, server] where access(file, R_OK) != 0 {
                throw LocalServerError("KITEQ_MYSQL_ROOT is \(root), but there is no \(file)")
            }
            var command = [
                loader, "--library-path", "\(libraries):\(root)/usr/lib/mysql/private", server, "--no-defaults",
                "--basedir=\(root)/usr", "--lc-messages-dir=\(root)/usr/share/mysql",
                "--character-sets-dir=\(root)/usr/share/mysql/charsets", "--plugin-dir=\(root)/usr/lib/mysql/plugin",
            ]
            if geteuid() == 0 { command.append("--user=root") }
            return command
        }
    }

    /// Shuts it down, and kills it after the limit.
    package func stop(within limit: Duration = .seconds(30)) async { await process.stop(within: limit) }

    /// Kills it with SIGKILL, as a crash would.
    package func kill() async { await process.kill() }

    /// Stops its threads where they are, with SIGSTOP.
    package func pause() { process.send(SIGSTOP) }

    package func resume() { process.send(SIGCONT) }
}
