import ArgumentParser
import Foundation
import LocalServers
import MariaDB

/// Which servers a run wants.
struct StageArguments: ParsableArguments {
    @Option(help: "The database: mariadb, or mysql (KITEQ_MYSQL_ROOT names one that is unpacked).")
    var server = "mariadb"
    @Option(help: "Shards.")
    var shards = 4
    @Option(help: "The database's buffer pool.")
    var bufferPool = "1G"
    @Option(help: "Options of the brokers, as for kiteq serve --set; may be repeated.")
    var set: [String] = []

    func validate() throws {
        guard ["mariadb", "mysql"].contains(server) else { throw ValidationError("--server is mariadb or mysql") }
        guard (1...64).contains(shards) else { throw ValidationError("--shards is from 1 to 64") }
    }
}

/// The servers of a run; they die with this process.
final class Stage: Sendable {
    static let topic = "trade"

    let tables: Tables
    let zooKeeper: LocalZooKeeper
    let arguments: StageArguments
    private let database: LocalDatabase
    private let folder: URL

    private init(
        _ arguments: StageArguments, _ folder: URL, _ database: LocalDatabase, _ zooKeeper: LocalZooKeeper
    ) {
        self.arguments = arguments
        self.folder = folder
        self.database = database
        self.zooKeeper = zooKeeper
        tables = Tables(port: database.port, shards: arguments.shards)
    }

    /// Starts them, runs `body`, ends them.
    static func run(_ arguments: StageArguments, _ body: (Stage) async throws -> Void) async throws {
        let folder = try LocalServers.temporaryFolder("backlog")
        progress("starting \(arguments.server) and ZooKeeper")
        let database = try LocalDatabase(arguments, folder.appending(path: "database"))
        let zooKeeper = try LocalZooKeeper(dataDirectory: folder.appending(path: "zookeeper"), logger: quiet)
        try await database.start()
        try await zooKeeper.start()
        let stage = Stage(arguments, folder, database, zooKeeper)
        do {
            try await stage.migrate()
            try await stage.tables.whileOpen { try await body(stage) }
        } catch {
            await stage.end()
            throw error
        }
        await stage.end()
    }

    private func end() async {
        await zooKeeper.stop()
        await database.stop()
    }

    private var storeURL: String { "mysql://root@127.0.0.1:\(database.port)/kite?shards=\(arguments.shards)" }

    private func migrate() async throws {
        try await LocalProgram.run(
            [BrokerProcess.executable, "migrate", "--store", storeURL], log: log("migrate"),
            environment: BrokerProcess.environment, within: .seconds(120), logger: quiet)
    }

    /// A broker that is not started yet.
    func broker(_ number: Int) throws -> BrokerProcess {
        try BrokerProcess(
            number: number, store: storeURL, registry: "zk://\(zooKeeper.server)", log: log("broker-\(number)"),
            options: arguments.set)
    }

    /// This very program with another subcommand, as a process of its own: a load must not share threads with what
    /// measures.
    func tool(_ name: String, _ arguments: [String], ready: String) -> LocalProgram {
        LocalProgram(
            name: name, command: ["/proc/self/exe".resolved] + arguments, ready: ready, log: log(name),
            environment: BrokerProcess.environment, logger: quiet)
    }

    private func log(_ name: String) -> URL { folder.appending(path: "\(name).log") }
}

extension String {
    /// The path that a link leads to.
    var resolved: String { URL(fileURLWithPath: self).resolvingSymlinksInPath().path }
}
