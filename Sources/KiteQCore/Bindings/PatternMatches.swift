import Synchronization

/// Which regular expressions of a topic a message type matches, as far as they were tried. True for ever: an expression of a
/// topic has a number that none had before, in whichever table.
package struct PatternMatches: Sendable, Hashable {
    /// Those with smaller numbers were tried.
    var tried = 0
    var matched: [Int] = []

    package var count: Int { matched.count }

    private static let numbers = Atomic<Int>(1)

    /// A number for an expression that no table has yet.
    static func nextNumber() -> Int { numbers.add(1, ordering: .relaxed).oldValue }
}
