import KiteQCore

extension BrokerParts {
    private var shardNumbers: Range<Int> { 0..<store.shardMap.shardCount }

    /// Of each shard: who renews its lease.
    var keepers: [LeaseKeeper] {
        shardNumbers.map { shard in
            LeaseKeeper(
                shard: shard, store: store, dispatcher: dispatcher, leases: leases, clocks: clocks, fence: fence,
                publishing: publishing, clock: clock, logger: logger)
        }
    }

    /// What works until it is cancelled.
    var workers: [any Worker] {
        let quotaSurvey = QuotaSurvey(
            store: store, services: services, leases: leases, interval: configuration.recoveryInterval * 5,
            clock: clock, logger: logger)
        return [Ticker(dispatcher: dispatcher, publishing: publishing, clock: clock), quotaSurvey, rateSampler]
            + keepers
            + shardNumbers.flatMap(workers(of:))
    }

    private func workers(of shard: Int) -> [any Worker] {
        let longestWait = configuration.topicCatalog.longestWait
        let lookInterval = min(configuration.recoveryInterval, store.lease / 5)
        return [
            LeaseWatcher(
                shard: shard, store: store, leases: leases, fence: fence, health: health, interval: lookInterval,
                counters: recovery, clock: clock, logger: logger),
            WriteProbe(
                shard: shard, store: store, leases: leases, health: health, interval: lookInterval, clock: clock,
                logger: logger),
            Surveyor(
                shard: shard, store: store, dispatcher: dispatcher, pausedGroups: shard == 0 ? pausedGroups : nil,
                leases: leases, clocks: clocks, longestWait: longestWait, interval: configuration.recoveryInterval,
                counters: recovery, clock: clock, logger: logger),
            Sweeper(
                shard: shard, store: store, dispatcher: dispatcher, leases: leases, clocks: clocks,
                configuration: configuration, counters: recovery, clock: clock, logger: logger),
            RecoveryWorker(
                shard: shard, store: store, dispatcher: dispatcher, clocks: clocks, longestWait: longestWait,
                counters: recovery, logger: logger),
            TransactionWorker(
                shard: shard, store: store, clients: connections, halfMessages: halfMessages, routing: routing,
                leases: leases, clocks: clocks, configuration: configuration, counters: transactions.counters,
                clock: clock, logger: logger),
        ]
    }
}
