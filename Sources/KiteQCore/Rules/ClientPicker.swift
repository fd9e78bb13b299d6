/// Whose turn it is among the clients of a group: each in turn or, while one warms up, each by its weight.
///
/// It keeps no clients, only their order: index n here is the n-th of the list that the caller keeps, and the two are changed
/// together. While all are warm a pick is a step of a plain round robin, and looks at no weight. While one warms up it is a
/// smooth weighted round robin in O(clients): a client of a quarter of the weight comes every fifth time, not in runs.
package struct ClientPicker: Sendable {
    private struct Turn: Sendable {
        var warmUp: WarmUp
        /// What it was owed and did not get, in units of weight. All credits add up to 0 but for clients that went.
        var credit = 0
    }

    private var turns: [Turn] = []
    /// Whose turn it is in the plain round robin.
    private var next = 0
    /// When the last client is warm.
    private var allWarmAt = MonotonicTime.min

    package init() {}

    package var count: Int { turns.count }

    /// Adds a client at the end.
    package mutating func append(_ warmUp: WarmUp) {
        turns.append(Turn(warmUp: warmUp))
        allWarmAt = max(allWarmAt, warmUp.warmAt)
    }

    /// The client at `index` is gone; those behind it move up.
    package mutating func remove(at index: Int) {
        turns.remove(at: index)
        if index < next { next -= 1 }
        if next >= turns.count { next = 0 }
        allWarmAt = turns.map(\.warmUp.warmAt).max() ?? .min
    }

    /// The client whose turn it is, of those that have room; nil if none has.
    ///
    /// Where none that has room has any weight yet they are taken for equal: the only one alive gets them all.
    ///
    /// - Parameter hasRoom: whether the client at that index can take a delivery now.
    package mutating func pick(now: MonotonicTime, hasRoom: (Int) -> Bool) -> Int? {
        now >= allWarmAt ? inTurn(hasRoom) : byWeight(now: now, hasRoom)
    }

    private mutating func inTurn(_ hasRoom: (Int) -> Bool) -> Int? {
        for step in 0..<turns.count {
            var index = next + step
            if index >= turns.count { index -= turns.count }
            if hasRoom(index) {
                next = index + 1 == turns.count ? 0 : index + 1
                return index
            }
        }
        return nil
    }

    private mutating func byWeight(now: MonotonicTime, _ hasRoom: (Int) -> Bool) -> Int? {
        var best: Int?
        var total = 0
        for index in turns.indices {
            let weight = Int(turns[index].warmUp.weight(now: now))
            guard weight > 0, hasRoom(index) else { continue }
            total += weight
            turns[index].credit += weight
            if let other = best, turns[other].credit >= turns[index].credit { continue }
            best = index
        }
        guard let best else { return inTurn(hasRoom) }
        turns[best].credit -= total
        return best
    }
}
