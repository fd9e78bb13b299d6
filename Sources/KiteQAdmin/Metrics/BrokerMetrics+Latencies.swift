import KiteQBroker
import KiteQCore

extension BrokerMetrics {
    static func latencies(_ latencies: BrokerLatencies, to page: inout PrometheusText) {
        page.histogram(
            "kiteq_publish_duration_seconds", "From a publish's arrival to its store ack.", latencies.publish)
        page.histogram(
            "kiteq_commit_duration_seconds", "From the answer about a half message to its being stored.",
            latencies.commit)
        page.histogram(
            "kiteq_delivery_duration_seconds", "From a message's acceptance to its first delivery, for each group.",
            latencies.delivery)
        page.histogram(
            "kiteq_acknowledgement_duration_seconds", "From a delivery to its consumer's answer.",
            latencies.acknowledgement)
        page.histogram(
            "kiteq_write_behind_duration_seconds", "From the outcome of a delivery to its being stored.",
            latencies.writeBehind)
    }
}

extension PrometheusText {
    mutating func histogram(_ name: String, _ help: String, _ histogram: LatencyHistogram) {
        family(name, .histogram, help)
        samples(of: name, [], histogram)
    }

    mutating func samples(of name: String, _ labels: [(String, String)], _ histogram: LatencyHistogram) {
        var below: UInt64 = 0
        for (bucket, bound) in (LatencyHistogram.bounds + [.infinity]).enumerated() {
            below += histogram.counts[bucket]
            sample("\(name)_bucket", labels + [("le", Self.formatted(bound))], Int(below))
        }
        sample("\(name)_sum", labels, Double(histogram.sum) / 1e9)
        sample("\(name)_count", labels, Int(below))
    }
}
