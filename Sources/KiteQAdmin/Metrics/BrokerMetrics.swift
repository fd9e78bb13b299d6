import KiteQBroker
import KiteQCore

/// The broker's own counters and levels, as families of Prometheus.
enum BrokerMetrics {
    /// Groups with a series of their own: the rest are counted together.
    static let groupLimit = 100

    /// Before the broker serves there is only `kiteq_serving 0`.
    static func write(_ status: BrokerStatus?, to page: inout PrometheusText) {
        page.single("kiteq_serving", .gauge, "1 while clients can connect.", status == nil ? 0 : 1)
        guard let status else { return }
        page.single(
            "kiteq_stopping", .gauge, "1 since the broker was told to stop.", status.phase.isStopping ? 1 : 0)
        publishing(status, to: &page)
        delivery(status, to: &page)
        transactions(status, to: &page)
        recovery(status, to: &page)
        connections(status, to: &page)
        latencies(status.latencies, to: &page)
        topics(status.topics, to: &page)
        groups(status.groups, to: &page)
        shards(status, to: &page)
    }

    /// What `/readyz` says.
    static func write(_ readiness: Readiness, to page: inout PrometheusText) {
        page.single(
            "kiteq_ready", .gauge, "1 while the broker can do its work, be it with some of its shards alone.",
            readiness.state == .notReady ? 0 : 1)
        page.single(
            "kiteq_degraded", .gauge, "1 while some of the shards cannot be used, and others can.",
            readiness.state == .degraded ? 1 : 0)
    }

    private static func publishing(_ status: BrokerStatus, to page: inout PrometheusText) {
        let counters = status.publishing
        page.split(
            "kiteq_publishes_total", .counter, "Messages that producers published, by what became of them.",
            by: "outcome",
            [
                ("stored", counters.stored.count), ("duplicate", counters.duplicates.count),
                ("refused", counters.refused.count), ("forbidden", counters.forbidden.count),
                ("overloaded", counters.overloaded.count),
                ("failed", counters.failed.count), ("unrouted", counters.unrouted.count), ("fly", counters.fly.count),
            ])
        page.single(
            "kiteq_publish_queue_messages", .gauge, "Publishes that wait for the store.", status.publishQueue.items)
        page.single(
            "kiteq_publish_queue_bytes", .gauge, "Bytes of the publishes that wait for the store.",
            status.publishQueue.bytes)
    }

    private static func delivery(_ status: BrokerStatus, to page: inout PrometheusText) {
        let delivery = status.delivery
        page.single(
            "kiteq_deliveries_total", .counter, "Messages sent to consumers, redeliveries included.", delivery.delivered
        )
        page.single(
            "kiteq_acknowledgements_total", .counter, "Deliveries that consumers acknowledged.", delivery.acknowledged)
        page.split(
            "kiteq_failed_deliveries_total", .counter, "Attempts that failed and are made again, by why.", by: "reason",
            [
                ("refused", delivery.refused), ("timeout", delivery.timedOut),
                ("connection_lost", delivery.lostWithConnection),
            ])
        page.split(
            "kiteq_unmatched_acknowledgements_total", .counter,
            "Acknowledgements that came after their timeout, or for no delivery.", by: "reason",
            [("late", delivery.lateAcknowledgements), ("unknown", delivery.unknownAcknowledgements)])
        page.split(
            "kiteq_dead_letters_total", .counter,
            "Messages given up for a group, and half messages that nobody decided, by why.", by: "reason",
            [
                ("attempts", max(0, delivery.deadLettered - delivery.expired)),
                ("expired", delivery.expired + status.recovery.buried.count),
                ("undecided", status.transactions.parked.count),
            ])
        page.single("kiteq_fly_dropped_total", .counter, "Fly messages that no attempt delivered.", delivery.flyDropped)
        page.single(
            "kiteq_paged_in_total", .counter, "Messages read back from the store for a group.", delivery.pagedIn)
        let gauges = status.gauges
        page.single("kiteq_messages", .gauge, "Messages in memory.", gauges.messages)
        page.single("kiteq_messages_bytes", .gauge, "Bytes of the messages in memory.", gauges.bytes)
        page.single("kiteq_in_flight", .gauge, "Deliveries that await their acknowledgement.", gauges.inFlight)
        page.single("kiteq_queued", .gauge, "Deliveries that wait in memory for a consumer.", gauges.queued)
        page.single("kiteq_unflushed", .gauge, "Outcomes of deliveries not yet written to the store.", gauges.unflushed)
        page.single("kiteq_waiting_pulls", .gauge, "Pulls over HTTP that wait for messages.", gauges.waitingPulls)
        page.single(
            "kiteq_pull_receipts", .gauge, "Messages in the hands of callers that pulled them, or promised to them.",
            gauges.receipts)
    }

    private static func transactions(_ status: BrokerStatus, to page: inout PrometheusText) {
        let counters = status.transactions
        page.split(
            "kiteq_transaction_answers_total", .counter, "Answers about half messages, by what became of them.",
            by: "outcome",
            [
                ("committed", counters.committed.count), ("rolled_back", counters.rolledBack.count),
                ("repeated", counters.repeated.count), ("contrary", counters.contrary.count),
                ("refused", counters.refused.count), ("dropped", counters.dropped.count), ("left", counters.left.count),
            ])
        page.single(
            "kiteq_transactions_for_nobody_total", .counter,
            "Half messages that were committed, and that no group was bound to.", counters.forNobody.count)
        page.single(
            "kiteq_transactions_late_total", .counter,
            "Half messages that were decided by an answer after they had been parked.", counters.late.count)
        page.single(
            "kiteq_transaction_checks_total", .counter, "Questions sent to producers about half messages.",
            counters.asked.count)
        page.single(
            "kiteq_transactions_parked_total", .counter,
            "Half messages about which nobody answered, and which are asked no more.",
            counters.parked.count)
        page.single(
            "kiteq_half_messages", .gauge, "Half messages kept in memory until they are decided.",
            status.halfMessages.items)
        page.single(
            "kiteq_half_messages_bytes", .gauge, "Bytes of the half messages kept in memory.",
            status.halfMessages.bytes)
    }

    private static func recovery(_ status: BrokerStatus, to page: inout PrometheusText) {
        let counters = status.recovery
        page.single(
            "kiteq_takeovers_total", .counter, "Brokers that let their lease run out, found dead by this one.",
            counters.takeovers.count)
        page.split(
            "kiteq_recovery_pages_total", .counter, "Pages of waiting messages that were read from the store.",
            by: "outcome", [("read", counters.pages.count), ("failed", counters.failedPages.count)])
        page.single(
            "kiteq_released_deliveries_total", .counter, "Deliveries of dead brokers that were set free.",
            counters.released.count)
        page.single(
            "kiteq_orphans_total", .counter, "Deliveries that the store took for being in this memory, let go.",
            status.delivery.orphans)
        page.single(
            "kiteq_strays_total", .counter, "Fresh messages that the store took for being in this memory, read again.",
            status.delivery.strays)
        page.single(
            "kiteq_purged_rows_total", .counter, "Rows deleted because their retention was over.",
            counters.purged.count)
    }

    private static func connections(_ status: BrokerStatus, to page: inout PrometheusText) {
        page.single("kiteq_connections", .gauge, "Clients that are connected.", status.connections)
        page.single("kiteq_connection_limit", .gauge, "Clients that may be connected.", status.connectionLimit)
        page.family("kiteq_group_connections", .gauge, "Clients that are connected, by their group.")
        // The largest, and among equals always the same ones.
        let groups = status.connectionsByGroup.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        for (group, count) in groups.prefix(groupLimit) {
            page.sample("kiteq_group_connections", [("group", group)], count)
        }
        page.single(
            "kiteq_unlisted_group_connections", .gauge, "Clients of the groups that are not listed one by one.",
            groups.dropFirst(groupLimit).reduce(0) { $0 + $1.value })
        page.single(
            "kiteq_tls_connections", .gauge, "Clients whose connection is encrypted.", status.tlsConnections)
        page.split(
            "kiteq_refusals_total", .counter, "Connections, and publishes without the right to, refused, by why.",
            by: "reason", status.refusals.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        page.single(
            "kiteq_malformed_packets_total", .counter, "Packets that ended their connection.", status.malformedPackets)
        page.single(
            "kiteq_refused_connections_total", .counter, "Connections refused at the greeting or for their number.",
            status.refusedConnections)
    }
}
