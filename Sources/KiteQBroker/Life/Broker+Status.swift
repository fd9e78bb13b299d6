package import KiteQCore
import Synchronization

/// What others may ask of a broker. Most is nil, or empty, before it serves.
extension Broker {
    /// What it does and holds now; nil before it serves.
    package var status: BrokerStatus? { parts?.status }

    /// Its clients, by id from behind one on (0: from the first), of some groups or of all; nil before it serves.
    ///
    /// - Parameter limit: 1 to 1,000; what is beyond counts as the nearest.
    package func connections(
        of groups: Set<BindingName>? = nil, after id: UInt64 = 0, limit: Int
    ) -> ConnectionPage? {
        parts?.connections(of: groups, after: id, limit: min(max(1, limit), 1_000))
    }

    /// What it had in a second, by topic, by group and in all; nil before it serves.
    package var rates: Rates? { parts?.rateSampler.rates }

    /// Its name, and where clients reach it; with port 0, before it listens, the address is not yet that.
    package var identity: BrokerIdentity {
        if let parts { return parts.messaging.identity }
        let address = configuration.advertised?.description ?? "\(configuration.bindHost):\(configuration.bindPort)"
        return BrokerIdentity(name: configuration.name ?? address, address: address)
    }

    /// Unix milliseconds, by the database server of the first shard: what is stored is dated so. By this machine's clock before
    /// it serves.
    package var time: Timestamp { parts?.clocks.general ?? clock.wall() }

    package var isRegistryConnected: Bool { registry.isConnected }

    /// What of the registry cannot be used, for as long as that lasts.
    package var registryProblems: [RegistryProblem] { registry.problems }

    /// Ends a group's bindings for everybody, through the registry.
    /// - Throws: `RegistryError`.
    package func removeBindings(of group: String, from topics: [String]) async throws {
        try await registry.removeBindings(of: group, from: topics)
    }

    /// When it asks about half messages.
    package var transactionSchedule: TransactionSchedule { configuration.transactions }

    /// Those in force here, less those of groups that may not subscribe; none before it serves.
    package var bindings: [Binding] { parts?.routing.bindings ?? [] }

    /// Whether all bindings of a topic are known here.
    package func knows(_ topic: String) -> Bool { parts?.routing.knows(topic) ?? false }

    /// Bindings that match nothing here, since they cannot be used or are over a bound.
    package var rejectedBindings: [BindingTable.Rejections] {
        parts?.routing.rejections ?? []
    }

    /// Which groups a message of this topic and type is for now; nil before it serves, and where the topic's bindings are not
    /// known here.
    package func route(topic: String, messageType: String) -> Route? {
        parts?.routing.route(topic: topic, messageType: messageType)
    }

    /// Whether a group has a client, here or, as far as is known, at another broker; nil before it serves.
    package func isPresent(_ group: String) -> Bool? {
        parts?.routing.isPresent(group)
    }

    /// Looks at once which groups are paused; else it does so each `recoveryInterval`. Does nothing before it serves.
    /// - Throws: `StoreError` where the store cannot say.
    package func refreshPausedGroups() async throws {
        try await parts?.pausedGroups.refresh()
    }

    /// Publish, pull and acknowledge without a connection; nil before it serves. To be asked for anew at each call.
    package var messaging: Messaging? { parts?.messaging }

    /// Whether it can do its work, by what its last writes and leases said. Nothing is asked for it.
    package var readiness: Readiness {
        guard let parts else {
            let whyStarting = self.whyStarting
            guard whyStarting == Self.waitsForBindings, let problem = registry.problems.first else {
                return Readiness(notServing: whyStarting)
            }
            return Readiness(notServing: "the bindings are not known: \(problem.text)")
        }
        if parts.phase.withLock({ $0 }).isStopping { return Readiness(notServing: "the broker stops") }
        if !registry.isConnected { return Readiness(notServing: "the registry cannot be reached") }
        return parts.readiness
    }
}
