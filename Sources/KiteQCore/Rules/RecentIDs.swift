import DequeModule

/// Ids of what was finished a short while ago: bounded in number and age, oldest out first.
package struct RecentIDs: Sendable {
    private let limit: Int
    private let age: MonotonicTime
    private var times: [MessageID: MonotonicTime] = [:]
    private var order = Deque<(id: MessageID, time: MonotonicTime)>()

    /// - Parameters:
    ///   - limit: how many are remembered.
    ///   - age: for how long, nanoseconds; a minute by default.
    package init(limit: Int, age: MonotonicTime = 60_000_000_000) {
        self.limit = max(0, limit)
        self.age = age
    }

    package var count: Int { times.count }

    /// Remembers an id from now on; one that is known starts anew.
    package mutating func insert(_ id: MessageID, now: MonotonicTime) {
        times[id] = now
        order.append((id, now))
        // An id that came again has an older entry too, which is passed over.
        while let first = order.first, order.count > limit || now - first.time > age {
            order.removeFirst()
            if times[first.id] == first.time { times[first.id] = nil }
        }
    }

    package func contains(_ id: MessageID, now: MonotonicTime) -> Bool {
        guard let time = times[id] else { return false }
        return now - time <= age
    }
}
