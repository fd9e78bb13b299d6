/// Finds fresh messages that the store has as this broker's and that are in no memory: a database that was put back has them, and
/// one whose commit came to light after it was believed to have failed.
///
/// It goes over the rows of one shard, a page at a time, again and again. A message that is missing once says nothing: the insert
/// that stored it may be about to be reported. One that two passes miss is a stray.
package struct StrayWatch: Sendable {
    /// Missing messages that a pass remembers; more are left to the next.
    private static let most = 500

    /// Behind which row the pass under way goes on; nil at its start.
    package private(set) var place: FreshPlace?
    private var nextPassAt: MonotonicTime
    private var passedAt: MonotonicTime = 0
    /// One more pass is wanted when the one under way is over.
    private var isHurried = false
    private var missing: Set<Int64> = []
    private var missedBefore: Set<Int64> = []

    package init(nextPassAt: MonotonicTime = 0) { self.nextPassAt = nextPassAt }

    package func isDue(now: MonotonicTime) -> Bool { place != nil || nextPassAt <= now }

    /// Something says that there may be strays: the next pass begins as soon as one that follows a miss.
    /// - Parameter again: the least time between two passes, nanoseconds.
    package mutating func hurry(again: MonotonicTime) {
        isHurried = place != nil
        nextPassAt = min(nextPassAt, passedAt + again)
    }

    /// A row of this page is not in memory. Whether the pass before missed it, too.
    package mutating func misses(_ seq: Int64) -> Bool {
        if missedBefore.contains(seq) { return true }
        if missing.count < Self.most { missing.insert(seq) }
        return false
    }

    /// A page was looked at.
    /// - Parameters:
    ///   - next: where to go on, nil where the pass is over.
    ///   - interval: to the next pass, nanoseconds.
    ///   - again: to the next one where something was missing.
    package mutating func endPage(
        next: FreshPlace?, now: MonotonicTime, interval: MonotonicTime, again: MonotonicTime
    ) {
        place = next
        guard next == nil else { return }
        nextPassAt = now + (missing.isEmpty && !isHurried ? interval : again)
        (passedAt, isHurried) = (now, false)
        missedBefore = missing
        missing = []
    }

    /// A page could not be read: the pass begins again at that time.
    package mutating func fail(until time: MonotonicTime) {
        place = nil
        missing = []
        nextPassAt = time
    }
}
