import Synchronization

/// A number that only grows, or a level that goes up and down; counted from any thread, once a batch.
package final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    package init() {}

    package func add(_ amount: Int) { value.wrappingAdd(amount, ordering: .relaxed) }
    package var count: Int { value.load(ordering: .relaxed) }
}
