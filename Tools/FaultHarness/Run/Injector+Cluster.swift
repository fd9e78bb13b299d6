import LocalServers

/// Faults of the node of a cluster that takes the writes: done, looked at until publishes flow again, and undone. No broker is touched but
/// where the fault is a broker's too.
extension Injector {
    /// What is left to do when publishes flow again, and which brokers were hit themselves.
    private struct Aftermath {
        var brokersHit: [Int] = []
        /// Of these, and what they excuse.
        var records: [FaultRecord] = []
        var heal: @Sendable () async throws -> Void = {}
    }

    /// Until whoever watches a pair has noticed that its primary does not answer.
    private static let noticedAfter: Duration = .seconds(2)

    /// A pair's primary that goes on when another one has taken over.
    private enum StalePrimary {
        /// After the other one's promotion.
        static let goesOnAfter: Duration = .seconds(13)
        /// Before a broker is started, and finds it.
        static let servesFor: Duration = .seconds(8)
        /// For whoever has gone to it to write to it, until it is copied anew.
        static let isFoundFor: Duration = .seconds(10)
        /// The same where no broker is started.
        static let isLeftFor: Duration = .seconds(5)
    }

    func injectIntoCluster(_ fault: PlannedFault, _ broker: BrokerProcess) async throws -> [FaultRecord] {
        guard let cluster = servers.cluster, let brokerProbe, let clusterProbe else {
            throw HarnessError("\(fault.kind.rawValue) is of a cluster, and there is none")
        }
        try await prepare(fault, cluster)
        var record = record(fault)
        let aftermath = try await act(fault, broker, cluster)
        let others = servers.brokers.map(\.number).filter { !aftermath.brokersHit.contains($0) }
        // What was accepted just before it must not pass for the flow after it.
        try await Task.sleep(for: .seconds(2))
        let isFlowing = try await awaitFlow(within: configuration.flowLimit)
        let served = history.now
        record.brokersGap = brokerProbe.gap(from: record.start, to: served, at: others)
        record.clusterGap = clusterProbe.gap(from: record.start, to: served)
        try await aftermath.heal()
        try await cluster.cluster.awaitWhole()
        if !isFlowing, try await !awaitFlow(within: .seconds(60)) {
            complaints.note(
                "publishes do not flow again though \(cluster.description) is whole since a minute: \(fault)")
        }
        (record.healed, record.end) = (history.now, end(after: configuration.aftermath))
        return [record] + aftermath.records
    }

    /// Whether each broker accepts publishes again within the limit.
    private func awaitFlow(within limit: Duration) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        let all = servers.brokers.map(\.number)
        while brokerProbe?.isFlowing(all) != true {
            if ContinuousClock.now > deadline { return false }
            try await checkBrokers()
            try await Task.sleep(for: .milliseconds(50))
        }
        return true
    }

    /// A stale primary does most harm where it is the first one of the brokers' list.
    private func prepare(_ fault: PlannedFault, _ servers: ClusterServers) async throws {
        guard fault.kind == .twoWritable, let pair = servers.pair, pair.primary.number != 1 else { return }
        try await pair.switchWriter()
        _ = try await awaitFlow(within: configuration.flowLimit)
    }

    private func act(
        _ fault: PlannedFault, _ broker: BrokerProcess, _ servers: ClusterServers
    ) async throws -> Aftermath {
        let cluster = servers.cluster
        let writer = try await cluster.writer()
        var aftermath = Aftermath()
        switch fault.kind {
        case .writerKill:
            await writer.kill()
            try await promote(servers, after: fault.outage)
            aftermath.heal = { try await cluster.restart(writer) }
        case .writerStop:
            await writer.stop()
            try await promote(servers, after: fault.outage)
            aftermath.heal = { try await cluster.restart(writer) }
        case .writerPause:
            writer.pause()
            try await promote(servers, after: Self.noticedAfter)
            try await Task.sleep(for: fault.outage - Self.noticedAfter)
            writer.goOn()
            aftermath.heal = { try await bringBack(writer, servers) }
        case .writerPartition:
            try await cluster.isolate(writer)
            try await Task.sleep(for: fault.outage)
            try await cluster.heal(writer)
            aftermath.heal = { try await cluster.rejoin(writer) }
        case .switchWriter: try await cluster.switchWriter()
        case .rollingRestart: try await restartAll(cluster)
        case .readOnly:
            let setting = cluster is LocalGroupReplication ? "super_read_only" : "read_only"
            try await writer.run("SET GLOBAL \(setting) = ON")
            try await Task.sleep(for: fault.outage)
            try await writer.run("SET GLOBAL \(setting) = OFF", "SET GLOBAL read_only = OFF")
        case .staleReplica:
            try await servers.pair?.setReplicaApplies(false)
            try await Task.sleep(for: .milliseconds(1_500))
            await writer.kill()
            try await Task.sleep(for: fault.outage)
            try await servers.pair?.setReplicaApplies(true)
            try await promote(servers, after: .zero)
            aftermath.heal = { try await cluster.restart(writer) }
        case .twoWritable:
            try await servers.pair?.setLimitOfWaiting(.seconds(3))
            writer.pause()
            try await promote(servers, after: fault.outage)
            try await Task.sleep(for: StalePrimary.goesOnAfter)
            writer.goOn()
            try await Task.sleep(for: StalePrimary.servesFor)
            aftermath.brokersHit = [broker.number]
            var stop = record(fault)
            stop.fault.kind = .brokerStop
            await self.stop(broker)
            try await restart(broker, after: .zero)
            (stop.healed, stop.end) = (history.now, end(after: configuration.aftermath))
            aftermath.records = [stop]
            try await Task.sleep(for: StalePrimary.isFoundFor)
            aftermath.heal = { try await bringBack(writer, servers) }
        case .rack:
            var death = record(fault)
            death.fault.kind = .brokerKill
            aftermath.brokersHit = [broker.number]
            async let broken: Void = broker.program.kill()
            await writer.kill()
            await broken
            try await promote(servers, after: Self.noticedAfter)
            try await restart(broker, after: fault.outage)
            (death.healed, death.end) = (history.now, end(after: .zero))
            aftermath.records = [death]
            aftermath.heal = { try await cluster.restart(writer) }
        default: throw HarnessError("\(fault.kind.rawValue) is no fault of a cluster")
        }
        return aftermath
    }

    /// What watches a pair notices that the primary is gone after a while; the others need nobody.
    private func promote(_ servers: ClusterServers, after notice: Duration) async throws {
        try await Task.sleep(for: notice)
        try await servers.cluster.promote()
    }

    /// A node that was paused while another one took over.
    private func bringBack(_ node: ClusterNode, _ servers: ClusterServers) async throws {
        guard let pair = servers.pair else { return try await servers.cluster.rejoin(node) }
        try await Task.sleep(for: StalePrimary.isLeftFor)
        try await pair.copyAnew(node)
    }

    private func restartAll(_ cluster: any DatabaseCluster) async throws {
        for node in cluster.nodes {
            if try await cluster.writer() === node, !(cluster is LocalGalera) { try await cluster.switchWriter() }
            await node.stop()
            try await cluster.restart(node)
            try await cluster.awaitWhole()
        }
    }
}
