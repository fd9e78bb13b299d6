import Synchronization

/// A count of several threads.
final class Tally: Sendable {
    private let value = Atomic<Int>(0)

    var count: Int { value.load(ordering: .relaxed) }

    func add(_ number: Int = 1) { value.wrappingAdd(number, ordering: .relaxed) }
}
