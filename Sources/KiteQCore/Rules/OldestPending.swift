import DequeModule

/// How old the oldest of things is that are taken in order and done in order: to about a hundredth of a second, at a cost for
/// each batch alone.
package struct OldestPending: Sendable {
    private struct Mark: Sendable {
        /// How many had been taken, these included.
        var taken: Int
        var at: MonotonicTime
    }

    private var marks = Deque<Mark>()
    private var taken = 0
    private var done = 0

    /// Batches within such a time are as one: 10 ms.
    package static let grain: MonotonicTime = 10_000_000

    package init() {}

    package mutating func take(_ count: Int, now: MonotonicTime) {
        guard count > 0 else { return }
        taken += count
        if let last = marks.last, now - last.at < Self.grain {
            marks[marks.count - 1].taken = taken
        } else {
            marks.append(Mark(taken: taken, at: now))
        }
    }

    package mutating func finish(_ count: Int) {
        done += count
        while let first = marks.first, first.taken <= done { marks.removeFirst() }
    }

    /// Nanoseconds; nil where none is pending.
    package func age(now: MonotonicTime) -> MonotonicTime? { marks.first.map { max(0, now - $0.at) } }
}
