/// How many half messages of a group nobody has decided, as one broker knows it between two looks into the store.
///
/// What was stored or decided here since a look began is counted on top of what it found. A message that was stored while a look was
/// under way may be counted twice until the next one; none is counted too little but those of other brokers.
package struct HalfMessageCount: Sendable {
    /// What the last look found.
    private var found: Int
    /// Stored here less decided here since it began.
    private var since = 0
    /// Likewise of the look that is under way; nil where there is none.
    private var sinceLook: Int?
    /// Published, and not answered yet.
    private var underWay = 0

    /// - Parameter found: by the last look; 0 where there was none.
    package init(found: Int = 0) { self.found = found }

    package var count: Int { max(0, found + since) + underWay }

    /// One is published. Nil where there are fewer than the limit: it counts from here on. Else how many there are.
    package mutating func take(within limit: Int) -> Int? {
        let count = count
        guard count < limit else { return count }
        underWay += 1
        return nil
    }

    /// One that was taken has its answer, whatever that is.
    package mutating func answered() { underWay -= 1 }

    /// One that was taken is stored; before its answer or after it.
    package mutating func stored() { add(1) }

    /// So many were decided here.
    package mutating func decided(_ count: Int) { add(-count) }

    package mutating func beginLook() { sinceLook = 0 }

    package mutating func endLook(found: Int) {
        self.found = found
        since = sinceLook ?? since
        sinceLook = nil
    }

    private mutating func add(_ count: Int) {
        since += count
        sinceLook? += count
    }
}
