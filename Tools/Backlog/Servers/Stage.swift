import ArgumentParser
import Foundation
import LocalServers

/// What the servers of a run are like.
struct StageArguments: ParsableArguments {
    @Option(help: "Shards of a database.")
    var shards = 4
    @Option(help: "The database's buffer pool.")
    var bufferPool = "1G"
    @Option(help: "Options of the brokers, as for kiteq serve --set; may be repeated.")
    var set: [String] = []

    func validate() throws {
        guard (1...64).contains(shards) else { throw ValidationError("--shards is from 1 to 64") }
    }
}

/// A group that wants one message type.
struct StageBinding: Sendable {
    var group: String
    var type: String
    /// Messages a second; nil: the broker's default.
    var watermark: Int?
}

/// A database with KiteQ's tables and brokers on it; they die with this process.
final class Stage: Sendable {
    static let topic = "trade"

    let tables: Tables
    private let shards: Int
    private let options: [String]
    private let database: LocalMariaDB
    private let folder: URL

    private init(_ arguments: StageArguments, _ folder: URL, _ database: LocalMariaDB) {
        shards = arguments.shards
        options = arguments.set
        self.folder = folder
        self.database = database
        tables = Tables(port: database.port, shards: arguments.shards)
    }

    /// Starts the database, runs `body`, ends all. Durable as a service's: the log is flushed at each commit.
    static func run(
        _ arguments: StageArguments, _ bindings: [StageBinding], _ body: (Stage) async throws -> Void
    ) async throws {
        let folder = try LocalServers.temporaryFolder("backlog")
        let database = try LocalMariaDB(
            dataDirectory: folder.appending(path: "database"),
            options: [
                "--innodb-buffer-pool-size=\(arguments.bufferPool)", "--innodb-flush-log-at-trx-commit=1",
                "--innodb-log-file-size=1G", "--max-allowed-packet=64M",
            ], logger: quiet)
        try await database.start()
        let stage = Stage(arguments, folder, database)
        do {
            try stage.write(bindings)
            try await LocalProgram.run(
                [BrokerProcess.executable, "migrate", "--store", stage.store], log: stage.log("migrate"),
                environment: BrokerProcess.environment, within: .seconds(120), logger: quiet)
            try await stage.tables.whileOpen { try await body(stage) }
        } catch {
            await database.stop()
            throw error
        }
        await database.stop()
        try FileManager.default.removeItem(at: folder)
    }

    private var store: String { "mysql://root@127.0.0.1:\(database.port)/kite?shards=\(shards)" }
    private var registry: URL { folder.appending(path: "registry.yaml") }

    /// Bindings alone: clients are told the brokers' addresses.
    private func write(_ bindings: [StageBinding]) throws {
        let lines = bindings.map { binding in
            let watermark = binding.watermark.map { ", watermark: \($0)" } ?? ""
            return "  - {groupIds: [\(binding.group)], topic: \(Self.topic), messageType: \(binding.type)\(watermark)}"
        }
        try (["brokers: []", bindings.isEmpty ? "bindings: []" : "bindings:"] + lines + [""]).joined(separator: "\n")
            .write(to: registry, atomically: true, encoding: .utf8)
    }

    /// A broker that is not started yet.
    func broker(_ name: String = "broker-1") throws -> BrokerProcess {
        try BrokerProcess(name: name, store: store, registry: registry, log: log(name), options: options)
    }

    /// This very program with another subcommand, as a process of its own: a load must not share threads with what measures.
    func tool(_ arguments: [String]) -> LocalProgram {
        LocalProgram(
            name: arguments[0],
            command: [URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path] + arguments,
            ready: "ready", log: log(arguments[0]), environment: BrokerProcess.environment, logger: quiet)
    }

    private func log(_ name: String) -> URL { folder.appending(path: "\(name).log") }
}
