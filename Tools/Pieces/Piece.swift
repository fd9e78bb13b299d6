import MallocCount

/// One part of a message's way, alone: what it costs, by itself and in memory that it takes.
struct Piece {
    var name: String
    /// Messages, rows or packets that one run handles.
    var count: Int
    var run: () throws -> Void

    struct Figures {
        /// Nanoseconds for each of the messages: medians of all runs.
        var nanoseconds: Double
        /// Blocks of memory taken for each.
        var allocations: Double
    }

    /// Runs it for about so long, and at least five times.
    func measure(for duration: Duration) throws -> Figures {
        try run()
        var times: [Double] = []
        var allocations: [Double] = []
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end || times.count < 5 {
            let blocks = malloc_count()
            let start = ContinuousClock.now
            try run()
            times.append((ContinuousClock.now - start) / .nanoseconds(1) / Double(count))
            allocations.append(Double(malloc_count() - blocks) / Double(count))
        }
        return Figures(nanoseconds: median(times), allocations: median(allocations))
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

/// Keeps the compiler from leaving out what nobody looks at.
@inline(never) func use<Value>(_ value: Value) {}
