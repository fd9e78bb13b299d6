/// A number of rows, counted up to a bound.
package struct BoundedCount: Sendable, Hashable {
    package var value: Int
    /// The count ended at its bound, or some rows could not be looked at: there may be more.
    package var isAtLeast: Bool

    package init(_ value: Int, isAtLeast: Bool = false) {
        self.value = value
        self.isAtLeast = isAtLeast
    }

    package static let zero = BoundedCount(0)

    package static func + (a: Self, b: Self) -> Self {
        BoundedCount(a.value + b.value, isAtLeast: a.isAtLeast || b.isAtLeast)
    }

    package static func += (a: inout Self, b: Self) { a = a + b }
}
