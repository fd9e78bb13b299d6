import Foundation
import LocalServers

/// MariaDB or MySQL, durable as a service's: the log is flushed at each commit.
enum LocalDatabase: Sendable {
    case mariaDB(LocalMariaDB)
    case mySQL(LocalMySQL)

    init(_ arguments: StageArguments, _ folder: URL) throws {
        let options = [
            "--innodb-buffer-pool-size=\(arguments.bufferPool)", "--innodb-flush-log-at-trx-commit=1",
            "--max-allowed-packet=64M", "--performance-schema=ON",
        ]
        switch arguments.server {
        case "mysql":
            guard let root = LocalMySQL.root else {
                throw BacklogError("--server mysql needs KITEQ_MYSQL_ROOT (scripts/mysql.sh fetches one)")
            }
            self = .mySQL(
                try LocalMySQL(
                    root: root, dataDirectory: folder,
                    options: options + ["--innodb-redo-log-capacity=1G", "--skip-log-bin"], logger: quiet))
        default:
            self = .mariaDB(
                try LocalMariaDB(
                    dataDirectory: folder,
                    options: options + [
                        "--innodb-log-file-size=1G", "--performance-schema-instrument=statement/%=ON",
                        "--performance-schema-max-prepared-statements-instances=4000",
                    ], logger: quiet))
        }
    }

    var port: Int {
        switch self {
        case .mariaDB(let server): server.port
        case .mySQL(let server): server.port
        }
    }

    func start() async throws {
        switch self {
        case .mariaDB(let server): try await server.start()
        case .mySQL(let server): try await server.start()
        }
    }

    func stop() async {
        switch self {
        case .mariaDB(let server): await server.stop()
        case .mySQL(let server): await server.stop()
        }
    }
}
