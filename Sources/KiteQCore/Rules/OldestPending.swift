import DequeModule

/// How old the oldest of things is that are taken in order and done in order: to about a thousandth of a second, at a cost
/// for each batch alone.
package struct OldestPending: Sendable {
    private struct Mark: Sendable {
        /// How many had been taken, these included.
        var taken: Int
        var at: MonotonicTime
    }

    private var marks = Deque<Mark>()
    private var taken = 0
    private var done = 0

    /// Batches within such a time are as one: 1 ms.
    package static let grain: MonotonicTime = 1_000_000

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

    /// - Parameter times: where it is counted how long they were pending.
    package mutating func finish(_ count: Int, now: MonotonicTime, _ times: inout LatencyHistogram) {
        let end = done + count
        while done < end, let first = marks.first {
            let finished = min(end, first.taken) - done
            times.record(now - first.at, times: finished)
            done += finished
            if first.taken <= done { marks.removeFirst() }
        }
    }

    /// Nanoseconds; nil where none is pending.
    package func age(now: MonotonicTime) -> MonotonicTime? { marks.first.map { max(0, now - $0.at) } }
}
