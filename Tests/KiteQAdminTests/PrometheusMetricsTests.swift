import CoreMetrics
import Testing

@testable import KiteQAdmin

@Suite struct PrometheusMetricsTests {
    private func page(_ metrics: PrometheusMetrics) -> String {
        var page = PrometheusText()
        metrics.write(to: &page)
        return page.text
    }

    @Test func aCounterEndsInTotalAndNeverGoesDown() {
        let metrics = PrometheusMetrics()
        let counter = metrics.makeCounter(label: "store.inserts", dimensions: [("shard", "0")])
        counter.increment(by: 2)
        counter.increment(by: -1)
        metrics.makeFloatingPointCounter(label: "kiteq_busy_total", dimensions: []).increment(by: 0.5)
        let page = page(metrics)
        #expect(page.contains("# TYPE kiteq_store_inserts_total counter\nkiteq_store_inserts_total{shard=\"0\"} 2\n"))
        #expect(page.contains("# TYPE kiteq_busy_total counter\nkiteq_busy_total 0.5\n"))
    }

    @Test func aMeterAndAPlainRecorderAreGauges() {
        let metrics = PrometheusMetrics()
        let meter = metrics.makeMeter(label: "pool.connections", dimensions: [])
        meter.set(4.0)
        meter.increment(by: 1.5)
        meter.decrement(by: 0.5)
        metrics.makeRecorder(label: "depth", dimensions: [], aggregate: false).record(Int64(-3))
        let page = page(metrics)
        #expect(page.contains("# TYPE kiteq_pool_connections gauge\nkiteq_pool_connections 5\n"))
        #expect(page.contains("# TYPE kiteq_depth gauge\nkiteq_depth -3\n"))
    }

    @Test func aTimerIsAHistogramInSeconds() {
        let metrics = PrometheusMetrics()
        let timer = metrics.makeTimer(label: "store.insert", dimensions: [("shard", "1")])
        timer.recordNanoseconds(500_000)  // The bound itself belongs to its bucket.
        timer.recordNanoseconds(2_000_000)
        timer.recordNanoseconds(90_000_000_000)
        let lines = page(metrics).split(separator: "\n").filter { $0.hasPrefix("kiteq_store_insert_seconds") }
        #expect(lines.count == PrometheusHistogram.seconds.count + 3)
        #expect(lines.first == "kiteq_store_insert_seconds_bucket{shard=\"1\",le=\"0.0005\"} 1")
        #expect(lines.contains("kiteq_store_insert_seconds_bucket{shard=\"1\",le=\"0.0025\"} 2"))
        #expect(lines.contains("kiteq_store_insert_seconds_bucket{shard=\"1\",le=\"60\"} 2"))
        #expect(lines.contains("kiteq_store_insert_seconds_bucket{shard=\"1\",le=\"+Inf\"} 3"))
        #expect(lines.contains("kiteq_store_insert_seconds_sum{shard=\"1\"} 90.0025"))
        #expect(lines.last == "kiteq_store_insert_seconds_count{shard=\"1\"} 3")
    }

    @Test func anAggregatingRecorderIsAHistogramOfAmounts() {
        let metrics = PrometheusMetrics()
        let recorder = metrics.makeRecorder(label: "batch.rows", dimensions: [("le", "x")], aggregate: true)
        recorder.record(Int64(3))
        recorder.record(Double.nan)
        let page = page(metrics)
        #expect(page.contains("kiteq_batch_rows_bucket{exported_le=\"x\",le=\"1\"} 0\n"))
        #expect(page.contains("kiteq_batch_rows_bucket{exported_le=\"x\",le=\"4\"} 1\n"))
        #expect(page.contains("kiteq_batch_rows_count{exported_le=\"x\"} 1\n"))
    }

    @Test func oneLabelAndItsDimensionsAreOneSeries() {
        let metrics = PrometheusMetrics()
        let first = metrics.makeCounter(label: "a", dimensions: [("x", "1"), ("y", "2")])
        let second = metrics.makeCounter(label: "a", dimensions: [("y", "2"), ("x", "1")])
        first.increment(by: 1)
        second.increment(by: 1)
        #expect(page(metrics).contains("kiteq_a_total{x=\"1\",y=\"2\"} 2\n"))
        metrics.destroyCounter(first)
        #expect(page(metrics).contains("kiteq_a_total"))
        metrics.destroyCounter(second)
        #expect(!page(metrics).contains("kiteq_a_total"))
    }

    @Test func whatCannotBeShownIsCounted() {
        let metrics = PrometheusMetrics(seriesLimit: 2)
        metrics.makeMeter(label: "a", dimensions: []).set(1.0)
        metrics.makeTimer(label: "b", dimensions: []).recordNanoseconds(1)
        metrics.makeMeter(label: "c", dimensions: []).set(1.0)
        metrics.makeRecorder(label: "a", dimensions: [], aggregate: true).record(Int64(1))
        let page = page(metrics)
        #expect(page.contains("kiteq_a 1\n"))
        #expect(!page.contains("kiteq_c"))
        #expect(page.contains("kiteq_metrics_dropped_series_total 2\n"))
    }

    @Test(arguments: [
        ("a.b-c", "kiteq_a_b_c"), ("kiteq_ready", "kiteq_ready"), ("9lives", "kiteq__9lives"), ("", "kiteq__"),
        ("über:x", "kiteq__ber:x"),
    ])
    func namesAreMadeValid(label: String, name: String) {
        #expect(PrometheusName.metric(label) == name)
    }

    @Test(arguments: [("group", "group"), ("__name__", "_name__"), ("a.b", "a_b"), ("a:b", "a_b"), ("1", "_1")])
    func labelNamesAreMadeValid(label: String, name: String) {
        #expect(PrometheusName.label(label, of: .counter) == name)
    }
}
