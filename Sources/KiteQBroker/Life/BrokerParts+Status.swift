import KiteQCore
import Synchronization

extension BrokerParts {
    var status: BrokerStatus {
        BrokerStatus(
            phase: phase.withLock { $0 }, readiness: readiness, incarnation: incarnation, delivery: dispatcher.counters,
            gauges: dispatcher.gauges, publishing: publishing.counters, transactions: transactions.counters,
            publishQueue: publishing.depth, connections: connections.count, connectionsByGroup: connections.counts,
            malformedPackets: services.malformed.count, refusedConnections: services.refusals.connections,
            refusals: services.refusals.counts, acceptFailures: listener.acceptFailures.count,
            connectionLimit: services.settings.maxConnections, tlsConnections: connections.encryptedCount,
            halfMessages: halfMessages.depth, servedTopics: services.settings.topics.sorted(),
            topics: TopicStatus.all(dispatcher, topicPublishes),
            groups: dispatcher.groupStatus.sorted { BindingName($0.name) < BindingName($1.name) }, shards: shards,
            recovery: recovery, latencies: latencies, store: store.activity)
    }

    private var latencies: BrokerLatencies {
        let delivering = dispatcher.latencies
        return BrokerLatencies(
            publish: publishing.times, commit: transactions.times, delivery: delivering.delivery,
            acknowledgement: delivering.answer, writeBehind: delivering.write)
    }

    /// Of the last writes and leases.
    var readiness: Readiness {
        Readiness(
            (0..<store.shardMap.shardCount).map { shard in
                Readiness.Shard(
                    number: shard, hasLease: leases.isHeld(shard), leaseFailure: leases.failure(shard),
                    insertFailure: health.failure(shard), oldestUnwritten: dispatcher.unwritten(shard: shard).age)
            })
    }

    private var shards: [ShardStatus] {
        let troubles = Dictionary(
            readiness.troubles.map { ($0.shard, $0.text) }, uniquingKeysWith: { first, _ in first })
        return (0..<store.shardMap.shardCount).map { shard in
            let (publishes, unwritten) = (publishing.waiting(shard: shard), dispatcher.unwritten(shard: shard))
            return ShardStatus(
                shard: shard, leaseRemaining: leases.remaining(shard), publishesWaiting: publishes.items,
                publishBytesWaiting: publishes.bytes, unwritten: unwritten.count, oldestUnwritten: unwritten.age,
                clock: clocks[shard], trouble: troubles[shard])
        }
    }

    func connections(of groups: Set<BindingName>?, after id: UInt64, limit: Int) -> ConnectionPage {
        let found = connections.page(of: groups, after: id, limit: limit + 1)
        let page = found.prefix(limit)
        let inFlight = dispatcher.inFlight(of: page.map(\.clientID))
        return ConnectionPage(
            connections: zip(page, inFlight).map { connection, inFlight in
                ConnectionStatus(
                    id: connection.id, group: connection.group, peer: connection.peer, since: connection.since,
                    published: connection.published.count, inFlight: inFlight,
                    isReadingPaused: connection.isReadingPaused, isEncrypted: connection.admission.isEncrypted)
            },
            next: found.count > limit ? page.last?.id : nil)
    }
}

extension TopicStatus {
    /// By name.
    static func all(_ dispatcher: Dispatcher, _ publishes: TopicPublishes) -> [TopicStatus] {
        dispatcher.topicTraffic
            .map { TopicStatus(name: $0, $1, publishes[$0]) }
            .sorted { BindingName($0.name) < BindingName($1.name) }
    }
}
