import KiteQAdmin
import KiteQBroker
import KiteQStore
import NIOCore

/// How the files that a process may open are shared out. Clients get what is left: without the database, the registry or the
/// administration the broker is of no use to any of them.
struct DescriptorShares: Sendable, Hashable {
    /// All of them.
    let limit: Int
    /// For the database, the registry, the network's threads, files that are read, and connections that are about to be refused.
    let own: Int
    /// Connections to the administration's address; 0 where there is none.
    let administration: Int
    /// Connections of clients.
    let clients: Int
    private let wantedClients: Int

    /// Beside the database and the threads: files, standard streams, ZooKeeper, listening sockets, and room for what is closed at once.
    private static let spare = 64
    /// What the administration has at least; a quarter of what there is where that is less.
    private static let keptForAdministration = 256
    /// With fewer connections of either kind a broker does not start.
    private static let least = 16

    /// - Parameters:
    ///   - limit: as the process has it now.
    ///   - databaseConnections: at most so many.
    ///   - threads: of the network.
    ///   - wantedAdministration: connections at most, those kept back for the probe included; 0: there is no administration.
    /// - Throws: ``CommandError`` where they are too few to serve anybody.
    init(
        limit: Int, databaseConnections: Int, threads: Int, wantedClients: Int, wantedAdministration: Int
    ) throws(CommandError) {
        self.limit = limit
        self.wantedClients = wantedClients
        // Each thread has an event queue, a wake-up and a timer.
        own = databaseConnections + 3 * threads + Self.spare
        let free = limit - own
        let kinds = wantedAdministration > 0 ? 2 : 1
        guard free >= kinds * Self.least else {
            throw CommandError(
                "this process may open \(limit) files, and needs \(own) for itself and some for its clients: raise the limit "
                    + "(ulimit -n, LimitNOFILE= of systemd) to \(own + kinds * 1_024) or more")
        }
        let kept = min(wantedAdministration, max(Self.least, min(Self.keptForAdministration, free / 4)))
        clients = min(wantedClients, free - kept)
        administration = min(wantedAdministration, free - clients)
    }

    /// What whoever runs this should know; nil where there are enough.
    var warning: String? {
        guard clients < wantedClients else { return nil }
        return
            "broker.max_connections = \(wantedClients) is taken as \(clients): this process may open \(limit) files, of which \(own) are "
            + "kept for the database, the registry and itself, and \(administration) for the administration; raise the limit "
            + "(ulimit -n, LimitNOFILE= of systemd) to \(limit - clients + wantedClients)"
    }
}

extension DescriptorShares {
    /// - Parameter limit: as the process has it now.
    init(_ configuration: ServerConfiguration, limit: Int) throws(CommandError) {
        let limits = AdminLimits()
        var databaseConnections = 0
        if !configuration.store.url.hasPrefix("memory:") {
            let store = try StoreFactory.mysql(configuration.store, configuration.broker.secretFiles)
            databaseConnections = store.shards.count * store.mostConnectionsPerShard
        }
        try self.init(
            limit: limit, databaseConnections: databaseConnections,
            // The broker's own, and those that the whole process has.
            threads: configuration.broker.eventLoopThreads + System.coreCount,
            wantedClients: configuration.broker.maxConnections,
            wantedAdministration: configuration.admin == nil ? 0 : limits.maxConnections + limits.reserve)
    }

    /// What the administration may take of them.
    var adminLimits: AdminLimits {
        var limits = AdminLimits()
        let reserve = min(limits.reserve, administration / 4)
        limits.reserve = reserve
        limits.maxConnections = max(1, administration - reserve)
        limits.maxConnectionsPerAddress = min(limits.maxConnectionsPerAddress, limits.maxConnections)
        return limits
    }
}
