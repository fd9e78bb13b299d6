@testable import KiteQBroker
@testable import KiteQCore
import Testing

@testable import KiteQAdmin

@Suite struct BrokerMetricsTests {
    private func status(connectionsByGroup: [String: Int] = [:]) -> BrokerStatus {
        BrokerStatus(
            phase: .serving, incarnation: 1, delivery: DeliveryCounters(), gauges: DeliveryGauges(),
            publishing: PublishCounters(), transactions: TransactionCounters(), publishQueue: (items: 5, bytes: 6),
            connections: 7, connectionsByGroup: connectionsByGroup, malformedPackets: 8, refusedConnections: 9,
            refusals: ["tls": 10], tlsConnections: 2, halfMessages: (items: 3, bytes: 4), servedTopics: [], topics: [],
            groups: [], shards: [], recovery: RecoveryCounters(), latencies: BrokerLatencies(), store: [])
    }

    private func page(_ status: BrokerStatus?) -> String {
        var page = PrometheusText()
        BrokerMetrics.write(status, to: &page)
        return page.text
    }

    @Test func everyCounterIsThere() {
        var status = status()
        status.publishing.stored.add(11)
        status.publishing.refused.add(12)
        status.delivery.delivered = 13
        status.delivery.timedOut = 14
        status.delivery.deadLettered = 15
        status.delivery.expired = 5
        status.recovery.buried.add(2)
        status.gauges.inFlight = 16
        status.transactions.asked.add(17)
        status.transactions.rolledBack.add(18)
        let lines = Set(page(status).split(separator: "\n").map(String.init))
        for line in [
            "kiteq_serving 1", "kiteq_publishes_total{outcome=\"stored\"} 11",
            "kiteq_publishes_total{outcome=\"refused\"} 12", "kiteq_deliveries_total 13",
            "kiteq_failed_deliveries_total{reason=\"timeout\"} 14", "kiteq_dead_letters_total{reason=\"attempts\"} 10",
            "kiteq_dead_letters_total{reason=\"expired\"} 7", "kiteq_dead_letters_total{reason=\"undecided\"} 0",
            "kiteq_in_flight 16",
            "kiteq_transaction_checks_total 17", "kiteq_transaction_answers_total{outcome=\"rolled_back\"} 18",
            "kiteq_publish_queue_messages 5", "kiteq_publish_queue_bytes 6", "kiteq_connections 7",
            "kiteq_refusals_total{reason=\"tls\"} 10", "kiteq_tls_connections 2", "kiteq_half_messages 3",
            "kiteq_malformed_packets_total 8", "kiteq_refused_connections_total 9",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func clocksThatDisagreeAreMeasured() {
        var clock = ServerClock(.init(server: 100_000_000, sentAt: 0, receivedAt: 0, wall: 96_400_000))
        clock.measure(.init(server: 200_000_000, sentAt: 0, receivedAt: 0, wall: 96_400_000))
        var status = status()
        status.shards = [
            ShardStatus(
                shard: 0, publishesWaiting: 0, publishBytesWaiting: 0, unwritten: 0,
                clock: ServerClock(.init(server: 100_000_000, sentAt: 0, receivedAt: 0, wall: 96_400_000))),
            ShardStatus(shard: 1, publishesWaiting: 0, publishBytesWaiting: 0, unwritten: 0, clock: clock),
            ShardStatus(shard: 2, publishesWaiting: 0, publishBytesWaiting: 0, unwritten: 0),
        ]
        let lines = page(status).split(separator: "\n").filter { $0.contains("clock") && !$0.hasPrefix("#") }
        #expect(
            lines == [
                "kiteq_clock_lead_seconds{shard=\"0\"} -3600", "kiteq_clock_lead_seconds{shard=\"1\"} -103600",
                "kiteq_server_clock_jump_seconds{shard=\"0\"} 0", "kiteq_server_clock_jump_seconds{shard=\"1\"} 100000",
            ])
        #expect(status.clockIncidents.count == 3)
    }

    @Test func everyFamilyIsWrittenOnceAndEverySampleBelongsToTheOneBefore() {
        var families: Set<Substring> = []
        var family: Substring = ""
        for line in page(status(connectionsByGroup: ["a": 1])).split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# HELP ") {
                #expect(families.insert(words[2]).inserted, "\(words[2]) twice")
            } else if line.hasPrefix("# TYPE ") {
                family = words[2]
                #expect(family.hasSuffix("_total") == (words[3] == "counter"), "\(line)")
            } else {
                let name = line.prefix { $0 != "{" && $0 != " " }
                let parts = ["", "_bucket", "_sum", "_count"].map { String(family) + $0 }
                #expect(parts.contains(String(name)), "\(line)")
            }
        }
        #expect(families.count > 20)
    }

    @Test func onlyTheLargestGroupsHaveASeriesOfTheirOwn() {
        let groups = Dictionary(uniqueKeysWithValues: (1...150).map { ("g-\($0)", $0) })
        let page = page(status(connectionsByGroup: groups))
        let listed = page.split(separator: "\n").filter { $0.hasPrefix("kiteq_group_connections{") }
        #expect(listed.count == 100)
        #expect(listed.first == "kiteq_group_connections{group=\"g-150\"} 150")
        #expect(listed.last == "kiteq_group_connections{group=\"g-51\"} 51")
        #expect(page.contains("kiteq_unlisted_group_connections \((1...50).reduce(0, +))\n"))
    }

    @Test func aHistogramsBucketsAreCumulative() {
        var status = status()
        status.latencies.publish.record(150_000)
        status.latencies.publish.record(100_000_000_000)
        let lines = page(status).split(separator: "\n").filter { $0.hasPrefix("kiteq_publish_duration_seconds") }
        #expect(lines.count == LatencyHistogram.bucketCount + 2)
        #expect(lines[0] == "kiteq_publish_duration_seconds_bucket{le=\"0.0001\"} 0")
        #expect(lines[1] == "kiteq_publish_duration_seconds_bucket{le=\"0.0002\"} 1")
        #expect(lines[LatencyHistogram.bucketCount - 1] == "kiteq_publish_duration_seconds_bucket{le=\"+Inf\"} 2")
        #expect(lines.last == "kiteq_publish_duration_seconds_count 2")
        #expect(lines.dropLast().last == "kiteq_publish_duration_seconds_sum 100.00015")
    }

    @Test func shardsShowTheirLeaseTheirConnectionsAndTheirCalls() {
        var status = status()
        status.shards = [
            ShardStatus(
                shard: 0, leaseRemaining: 2_500_000_000, publishesWaiting: 1, publishBytesWaiting: 2, unwritten: 3,
                oldestUnwritten: 1_000_000_000)
        ]
        var calls = StoreActivity.Calls()
        calls.times.record(1_000_000)
        calls.failures = 4
        status.store = [
            StoreActivity(
                pool: .init(open: 5, idle: 2, waiting: 1, limit: 8, failedConnects: 9), calls: [.insert: calls])
        ]
        let lines = Set(page(status).split(separator: "\n").map(String.init))
        for line in [
            "kiteq_lease_remaining_seconds{shard=\"0\"} 2.5", "kiteq_shard_unwritten{shard=\"0\"} 3",
            "kiteq_shard_oldest_unwritten_seconds{shard=\"0\"} 1", "kiteq_store_connections{shard=\"0\"} 5",
            "kiteq_store_failed_connects_total{shard=\"0\"} 9",
            "kiteq_store_call_failures_total{shard=\"0\",kind=\"insert\"} 4",
            "kiteq_store_call_duration_seconds_count{shard=\"0\",kind=\"insert\"} 1",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func actsCountByHowTheyEnded() {
        let acts = ActCounts()
        acts.count("pause", .done)
        acts.count("pause", .done)
        acts.count("pause", .failed)
        acts.countUnwritten()
        var page = PrometheusText()
        acts.write(to: &page)
        #expect(page.text.contains("kiteq_acts_total{action=\"pause\",outcome=\"done\"} 2\n"))
        #expect(page.text.contains("kiteq_acts_total{action=\"pause\",outcome=\"failed\"} 1\n"))
        #expect(page.text.contains("\nkiteq_audit_failures_total 1\n"))
    }
}
