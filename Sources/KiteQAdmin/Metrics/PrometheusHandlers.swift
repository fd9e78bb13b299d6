import CoreMetrics
import Synchronization

/// Counts up, in whole numbers.
final class PrometheusCounter: CounterHandler {
    private let count = Atomic<Int64>(0)

    /// A counter never goes down: a negative amount is left out.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() { count.store(0, ordering: .relaxed) }

    var value: Double { Double(count.load(ordering: .relaxed)) }
}

/// Counts up, in fractions.
final class PrometheusFloatingPointCounter: FloatingPointCounterHandler {
    private let count = Mutex(0.0)

    func increment(by amount: Double) {
        guard amount > 0 else { return }
        count.withLock { $0 += amount }
    }

    func reset() { count.withLock { $0 = 0 } }

    var value: Double { count.withLock { $0 } }
}

/// A level that goes up and down: what swift-metrics calls a meter, or a recorder that does not aggregate.
final class PrometheusGauge: MeterHandler, RecorderHandler {
    private let level = Mutex(0.0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { level.withLock { $0 = value } }
    func increment(by amount: Double) { level.withLock { $0 += amount } }
    func decrement(by amount: Double) { level.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }

    var value: Double { level.withLock { $0 } }
}
