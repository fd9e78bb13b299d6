import Foundation
import KiteQCore
import KiteQRegistry
import LocalServers
import Logging

/// All servers of a run.
struct Servers: Sendable {
    let configuration: HarnessConfiguration
    /// The one server, or the cluster.
    let database: (any LocalDatabase)?
    let cluster: ClusterServers?
    let zooKeeper: LocalZooKeeper?
    let brokers: [BrokerProcess]
    /// What stands between the brokers and each shard, where faults want that.
    let shardProxies: [FaultProxy]

    /// Starts all of them; brokers serve, with the bindings in force.
    static func start(_ configuration: HarnessConfiguration, logger: Logger) async throws -> Servers {
        try FileManager.default.createDirectory(at: configuration.folder, withIntermediateDirectories: true)
        let database = try makeDatabase(configuration)
        try await database?.start(within: .seconds(120))
        let cluster = try await ClusterServers.start(configuration)
        guard let store = cluster?.adminURL ?? database.map({ BrokerProcess.store(port: $0.port, configuration) })
        else { throw HarnessError("there is no database") }
        try await migrate(configuration, store: store)
        var zooKeeper: LocalZooKeeper?
        if configuration.usesZooKeeper {
            let server = try LocalZooKeeper(dataDirectory: configuration.folder.appending(path: "zookeeper"))
            try await server.start()
            try await publishBindings("zk://\(server.server)", logger: logger)
            zooKeeper = server
        }
        let file = configuration.folder.appending(path: "registry.yaml")
        try registryFile.write(to: file, atomically: true, encoding: .utf8)
        var shardProxies: [FaultProxy] = []
        if configuration.usesShardProxies, let database {
            shardProxies = (0..<configuration.shards).map { _ in FaultProxy(server: database.port) }
        }
        var shardPorts: [Int] = []
        for proxy in shardProxies { shardPorts.append(try await proxy.start()) }
        var brokers: [BrokerProcess] = []
        for number in 0..<configuration.brokers {
            let databaseProxy = configuration.usesProxies ? database.map { FaultProxy(server: $0.port) } : nil
            let zooKeeperProxy = configuration.usesProxies ? zooKeeper.map { FaultProxy(server: $0.port) } : nil
            let databasePort = try await databaseProxy?.start() ?? database?.port ?? 0
            let ports = shardPorts.isEmpty ? [databasePort] : shardPorts
            let store =
                cluster.map { ["--store", $0.brokerURL] } ?? BrokerProcess.storeOptions(ports: ports, configuration)
            var registry = "file://\(file.path)"
            if let zooKeeper { registry = "zk://127.0.0.1:\(try await zooKeeperProxy?.start() ?? zooKeeper.port)" }
            brokers.append(
                try BrokerProcess(
                    number: number, configuration, store: store, registry: registry,
                    databaseProxy: databaseProxy, zooKeeperProxy: zooKeeperProxy))
        }
        for broker in brokers { try await broker.program.start() }
        return Servers(
            configuration: configuration, database: database, cluster: cluster, zooKeeper: zooKeeper,
            brokers: brokers, shardProxies: shardProxies)
    }

    /// Ends them in order. Returns what a broker said that did not end with status 0.
    func stop() async throws -> [String] {
        var complaints: [String] = []
        for broker in brokers {
            if let end = await broker.program.stop() { complaints.append("broker-\(broker.number): \(end)") }
            try await broker.databaseProxy?.stop()
            try await broker.zooKeeperProxy?.stop()
        }
        for proxy in shardProxies { try await proxy.stop() }
        await zooKeeper?.stop(within: .seconds(10))
        await database?.stop(within: .seconds(30))
        try await cluster?.stop()
        return complaints
    }

    /// Nil where the run has a cluster.
    private static func makeDatabase(_ configuration: HarnessConfiguration) throws -> (any LocalDatabase)? {
        let folder = configuration.folder.appending(path: "database")
        let options = ["--max-allowed-packet=16M", "--innodb-buffer-pool-size=256M", "--max-connections=400"]
        switch configuration.database {
        case .mariaDB: return try LocalMariaDB(dataDirectory: folder, options: options)
        case .mySQL:
            guard let root = LocalMySQL.root else {
                throw LocalServerError("KITEQ_MYSQL_ROOT does not say where an unpacked MySQL is (scripts/mysql.sh)")
            }
            return try LocalMySQL(root: root, dataDirectory: folder, options: options)
        case .groupReplication, .galera, .pair, .haProxy: return nil
        }
    }

    private static func migrate(_ configuration: HarnessConfiguration, store: String) async throws {
        let command = [configuration.executable.path, "migrate", "--store", store]
        try await LocalProgram.run(
            command, log: configuration.folder.appending(path: "migrate.log"), environment: BrokerProcess.environment,
            within: .seconds(120))
    }

    private static func publishBindings(_ url: String, logger: Logger) async throws {
        let registry = try RegistryConfiguration(url: url).makeRegistry(logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await registry.run() }
            for group in Topology.groups {
                try await registry.publish(bindings: Topology.bindings.filter { $0.group == group }, of: group)
            }
            tasks.cancelAll()
        }
    }

    /// Bindings alone: clients are told the brokers' addresses.
    private static var registryFile: String {
        let bindings = Topology.bindings.map {
            "  - {groupIds: [\($0.group)], topic: \($0.topic), messageType: \($0.messageType), bindType: direct}\n"
        }
        return "brokers: []\nbindings:\n" + bindings.joined()
    }
}
