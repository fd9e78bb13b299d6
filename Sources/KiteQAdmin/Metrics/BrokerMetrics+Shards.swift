import KiteQBroker
import KiteQCore

/// By shard: what waits for it, the lease, the connections to it, and the statements made there.
extension BrokerMetrics {
    static func shards(_ status: BrokerStatus, to page: inout PrometheusText) {
        func family(_ name: String, _ help: String, _ value: (ShardStatus) -> Double) {
            page.family(name, .gauge, help)
            for shard in status.shards { page.sample(name, [("shard", "\(shard.shard)")], value(shard)) }
        }
        family("kiteq_lease_remaining_seconds", "How long this broker's lease of a shard still holds; 0: it has none.")
        {
            $0.leaseSeconds
        }
        family("kiteq_shard_usable", "1 while messages of a shard can be stored and delivered by this broker.") {
            $0.trouble == nil ? 1 : 0
        }
        family("kiteq_shard_publish_queue_messages", "Publishes that wait for a shard's writers.") {
            Double($0.publishesWaiting)
        }
        family("kiteq_shard_publish_queue_bytes", "Bytes of the publishes that wait for a shard's writers.") {
            Double($0.publishBytesWaiting)
        }
        family("kiteq_shard_unwritten", "Outcomes of deliveries that are not yet written to a shard.") {
            Double($0.unwritten)
        }
        family("kiteq_shard_oldest_unwritten_seconds", "How long the oldest of the outcomes waits to be written.") {
            Double($0.oldestUnwritten ?? 0) / 1e9
        }
        page.family(
            "kiteq_clock_lead_seconds", .gauge,
            "How far this machine's clock is ahead of that of a shard's server (negative: behind), as far as can be told."
        )
        for shard in status.shards {
            guard let clock = shard.clock else { continue }
            page.sample("kiteq_clock_lead_seconds", [("shard", "\(shard.shard)")], Double(clock.lead) / 1e3)
        }
        page.family(
            "kiteq_server_clock_jump_seconds", .gauge,
            "How far the clock of a shard's server has jumped ahead (negative: back) without being followed; 0: it has not."
        )
        for shard in status.shards {
            guard let clock = shard.clock else { continue }
            page.sample("kiteq_server_clock_jump_seconds", [("shard", "\(shard.shard)")], Double(clock.jump) / 1e3)
        }
        if !status.store.isEmpty { store(status.store, to: &page) }
    }

    private static func store(_ shards: [StoreActivity], to page: inout PrometheusText) {
        func family(_ name: String, _ kind: PrometheusText.Kind, _ help: String, _ value: (ShardReport.PoolUse) -> Int)
        {
            page.split(name, kind, help, by: "shard", shards.enumerated().map { ("\($0)", value($1.pool)) })
        }
        family("kiteq_store_connections", .gauge, "Connections to a shard's server for messages.", \.open)
        family("kiteq_store_connections_idle", .gauge, "Connections for messages that nobody uses.", \.idle)
        family("kiteq_store_connections_limit", .gauge, "Connections for messages at the most.", \.limit)
        family("kiteq_store_connection_waiters", .gauge, "Callers that wait for a connection.", \.waiting)
        family(
            "kiteq_store_failed_connects_total", .counter, "Attempts to connect to a shard's server that failed.",
            \.failedConnects)
        let calls = shards.enumerated().flatMap { number, activity in
            StoreActivity.Kind.allCases.compactMap { kind in
                activity.calls[kind].map { ([("shard", "\(number)"), ("kind", kind.rawValue)], $0) }
            }
        }
        page.family(
            "kiteq_store_call_duration_seconds", .histogram, "Calls of the store that succeeded, by what they are for.")
        for (labels, calls) in calls { page.samples(of: "kiteq_store_call_duration_seconds", labels, calls.times) }
        page.family(
            "kiteq_store_call_failures_total", .counter, "Calls of the store that failed, by what they are for.")
        for (labels, calls) in calls { page.sample("kiteq_store_call_failures_total", labels, calls.failures) }
    }
}
