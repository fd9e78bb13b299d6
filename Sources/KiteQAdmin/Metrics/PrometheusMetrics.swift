package import CoreMetrics
import Synchronization

/// A swift-metrics back end whose state is a page for Prometheus.
///
/// Labels become names by Prometheus' conventions: `kiteq_` in front, counters end in `_total`, timers are histograms in
/// `_seconds`. The same label and dimensions share one series. A label that is already of another kind, and a series past
/// the limit, still count for their owner but are not on the page: `kiteq_metrics_dropped_series_total` says how many.
package final class PrometheusMetrics: MetricsFactory {
    private struct Series {
        var handler: any AnyObject & Sendable
        /// How many times it was made and not destroyed.
        var users: Int
    }

    private struct Family {
        var kind: PrometheusText.Kind
        /// By labels, as they are written.
        var series: [[Dimension]: Series] = [:]
    }

    private struct Dimension: Hashable, Comparable {
        var name: String
        var value: String

        static func < (a: Dimension, b: Dimension) -> Bool { (a.name, a.value) < (b.name, b.value) }
    }

    private struct State {
        var families: [String: Family] = [:]
        var seriesCount = 0
        var dropped = 0
    }

    private let state = Mutex(State())
    private let seriesLimit: Int

    /// - Parameter seriesLimit: more series than this are not kept: labels may come from what clients send.
    package init(seriesLimit: Int = 10_000) {
        self.seriesLimit = seriesLimit
    }

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        handler(PrometheusName.suffixed(PrometheusName.metric(label), "_total"), .counter, dimensions) {
            PrometheusCounter()
        }
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        handler(PrometheusName.suffixed(PrometheusName.metric(label), "_total"), .counter, dimensions) {
            PrometheusFloatingPointCounter()
        }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        handler(PrometheusName.metric(label), .gauge, dimensions) { PrometheusGauge() }
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate {
            return handler(PrometheusName.metric(label), .histogram, dimensions) {
                PrometheusHistogram(bounds: PrometheusHistogram.amounts)
            }
        }
        return handler(PrometheusName.metric(label), .gauge, dimensions) { PrometheusGauge() }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        handler(PrometheusName.suffixed(PrometheusName.metric(label), "_seconds"), .histogram, dimensions) {
            PrometheusHistogram(bounds: PrometheusHistogram.seconds)
        }
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func handler<Handler: AnyObject & Sendable>(
        _ name: String, _ kind: PrometheusText.Kind, _ dimensions: [(String, String)], make: () -> Handler
    ) -> Handler {
        // Where two dimensions come to the same name the first stands: a label may appear only once.
        let labels = Dictionary(
            dimensions.map { (PrometheusName.label($0.0, of: kind), $0.1) }, uniquingKeysWith: { first, _ in first }
        ).map { Dimension(name: $0.key, value: $0.value) }.sorted()
        return state.withLock { state in
            var family = state.families[name] ?? Family(kind: kind)
            if var series = family.series[labels] {
                if let handler = series.handler as? Handler {
                    series.users += 1
                    family.series[labels] = series
                    state.families[name] = family
                    return handler
                }
                state.dropped += 1
                return make()
            }
            guard family.kind == kind, state.seriesCount < seriesLimit else {
                state.dropped += 1
                return make()
            }
            let handler = make()
            family.series[labels] = Series(handler: handler, users: 1)
            state.families[name] = family
            state.seriesCount += 1
            return handler
        }
    }

    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            for (name, var family) in state.families {
                guard let (labels, series) = family.series.first(where: { $0.value.handler === handler }) else {
                    continue
                }
                if series.users > 1 {
                    family.series[labels]?.users -= 1
                } else {
                    family.series[labels] = nil
                    state.seriesCount -= 1
                }
                state.families[name] = family.series.isEmpty ? nil : family
                return
            }
        }
    }

    // MARK: The page

    /// Writes every family, in the order of their names.
    package func write(to page: inout PrometheusText) {
        let (families, dropped) = state.withLock { ($0.families, $0.dropped) }
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            page.family(name, family.kind, Self.help(name, family.kind))
            for (labels, series) in family.series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                Self.write(series.handler, name, labels.map { ($0.name, $0.value) }, to: &page)
            }
        }
        page.single(
            "kiteq_metrics_dropped_series_total", .counter,
            "Series that are not on this page: too many, or of two kinds under one name.", dropped)
    }

    private static func help(_ name: String, _ kind: PrometheusText.Kind) -> String {
        let words = name.dropFirst("kiteq_".count).split(separator: "_").joined(separator: " ")
        return "\(words) (\(kind.rawValue) of this process since its start)"
    }

    private static func write(
        _ handler: any AnyObject & Sendable, _ name: String, _ labels: [(String, String)], to page: inout PrometheusText
    ) {
        switch handler {
        case let counter as PrometheusCounter: page.sample(name, labels, counter.value)
        case let counter as PrometheusFloatingPointCounter: page.sample(name, labels, counter.value)
        case let gauge as PrometheusGauge: page.sample(name, labels, gauge.value)
        case let histogram as PrometheusHistogram: write(histogram, name, labels, to: &page)
        default: preconditionFailure("a series holds a handler that no function here made")
        }
    }

    private static func write(
        _ histogram: PrometheusHistogram, _ name: String, _ labels: [(String, String)], to page: inout PrometheusText
    ) {
        let snapshot = histogram.snapshot
        var below: UInt64 = 0
        for (bound, count) in zip(histogram.bounds + [.infinity], snapshot.counts) {
            below += count
            page.sample("\(name)_bucket", labels + [("le", PrometheusText.formatted(bound))], Double(below))
        }
        page.sample("\(name)_sum", labels, snapshot.sum)
        page.sample("\(name)_count", labels, Double(snapshot.count))
    }
}
