import Foundation
import LocalServers

/// The cluster of a run, with what stands in front of it and between its nodes.
struct ClusterServers: Sendable {
    let cluster: any DatabaseCluster
    let haProxy: LocalHAProxy?
    /// Between the nodes.
    let links: [FaultProxy]
    private let shards: Int

    var description: String { haProxy == nil ? cluster.name : "HAProxy in front of \(cluster.name)" }
    /// The pair, where it is one.
    var pair: LocalPair? { cluster as? LocalPair }

    /// Where the users of brokers and of `kiteq migrate` find it.
    var brokerURL: String { url(ClusterAccounts.broker, ClusterAccounts.brokerPassword) }
    var adminURL: String { url(ClusterAccounts.admin, ClusterAccounts.adminPassword) }

    private func url(_ user: String, _ password: String) -> String {
        haProxy?.url(user: user, password: password, shards: shards)
            ?? cluster.url(user: user, password: password, shards: shards)
    }

    /// How much longer a replica's answers take, where they come from a distance: what is in flight when a primary dies has reached it.
    private static let distance: Duration = .milliseconds(60)

    /// Starts all of it; nil where the run has one server.
    static func start(_ configuration: HarnessConfiguration) async throws -> ClusterServers? {
        guard let kind = configuration.cluster else { return nil }
        let folder = configuration.folder.appending(path: "database")
        let memory = ["--max-allowed-packet=16M", "--innodb-buffer-pool-size=128M", "--max-connections=400"]
        let cluster: any DatabaseCluster
        var links: [FaultProxy] = []
        var check = LocalHAProxy.Check.writable
        switch kind {
        case .galera:
            let galera = try LocalGalera(folder: folder, options: memory)
            try await galera.start()
            check = .galera
            cluster = galera
        case .pair:
            let pair = try LocalPair(folder: folder, options: memory)
            if configuration.usesDistance {
                links = pair.nodes.map { FaultProxy(server: $0.port, delay: distance) }
            }
            var ports: [Int] = []
            for link in links { ports.append(try await link.start()) }
            try await pair.start(sourcePorts: ports)
            cluster = pair
        case .groupReplication:
            let group = try LocalGroupReplication(folder: folder, patience: configuration.patience, options: memory)
            links = try await start(group, isCut: configuration.usesPartitions)
            cluster = group
        case .mariaDB, .mySQL, .haProxy: throw HarnessError("\(kind.rawValue) is no cluster")
        }
        var haProxy: LocalHAProxy?
        if configuration.database == .haProxy {
            let proxy = try LocalHAProxy(
                folder: configuration.folder.appending(path: "haproxy"), nodes: cluster.nodes, check: check,
                balance: configuration.balance)
            try await proxy.start()
            haProxy = proxy
        }
        return ClusterServers(cluster: cluster, haProxy: haProxy, links: links, shards: configuration.shards)
    }

    /// Each node's way to each other one is a proxy's: a node is cut off when those from it and to it carry nothing.
    private static func start(_ group: LocalGroupReplication, isCut: Bool) async throws -> [FaultProxy] {
        guard isCut else {
            try await group.start()
            return []
        }
        var links: [(from: Int, to: Int, proxy: FaultProxy)] = []
        var routes: [[Int: Int]] = []
        for from in group.nodes {
            var route: [Int: Int] = [:]
            for to in group.nodes where to !== from {
                let port = group.groupPorts[to.number - 1]
                let proxy = FaultProxy(server: port)
                route[port] = try await proxy.start()
                links.append((from.number, to.number, proxy))
            }
            routes.append(route)
        }
        try await group.start(routes: routes) { [links] node, isCut in
            for link in links where link.from == node || link.to == node {
                if isCut { link.proxy.isolate() } else { link.proxy.pass() }
            }
        }
        return links.map(\.proxy)
    }

    func stop() async throws {
        await haProxy?.stop()
        await cluster.stop()
        for link in links { try await link.stop() }
    }
}
