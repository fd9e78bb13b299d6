@testable import KiteQBroker
@testable import KiteQCore
import Testing

@testable import KiteQAdmin

@Suite struct BrokerMetricsTests {
    private func status(connectionsByGroup: [String: Int] = [:]) -> BrokerStatus {
        BrokerStatus(
            delivery: DeliveryCounters(), gauges: DeliveryGauges(), publishing: PublishCounters(),
            transactions: TransactionCounters(), publishQueue: (items: 5, bytes: 6), connections: 7,
            connectionsByGroup: connectionsByGroup, malformedPackets: 8, refusedConnections: 9, refusals: [:],
            tlsConnections: 0, topics: [])
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
        status.gauges.inFlight = 16
        status.transactions.asked.add(17)
        status.transactions.rolledBack.add(18)
        let lines = Set(page(status).split(separator: "\n").map(String.init))
        for line in [
            "kiteq_serving 1", "kiteq_publishes_total{outcome=\"stored\"} 11",
            "kiteq_publishes_total{outcome=\"refused\"} 12", "kiteq_deliveries_total 13",
            "kiteq_failed_deliveries_total{reason=\"timeout\"} 14", "kiteq_dead_letters_total 15", "kiteq_in_flight 16",
            "kiteq_transaction_checks_total 17", "kiteq_transaction_answers_total{outcome=\"rolled_back\"} 18",
            "kiteq_publish_queue_messages 5", "kiteq_publish_queue_bytes 6", "kiteq_connections 7",
            "kiteq_malformed_packets_total 8", "kiteq_refused_connections_total 9",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
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
                #expect(line.prefix { $0 != "{" && $0 != " " } == family)
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
}
