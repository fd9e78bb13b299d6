/// When the rows of one shard are looked at that the store says are in this broker's memory: a page at a time, again and again.
struct OrphanWatch: Sendable {
    /// Behind which seq the pass under way goes on; nil between passes.
    private var place: Int64?
    private var nextPassAt: MonotonicTime

    init(nextPassAt: MonotonicTime = 0) { self.nextPassAt = nextPassAt }

    /// Whether a pass is due to begin.
    func isDue(now: MonotonicTime) -> Bool { nextPassAt <= now }

    /// Behind which seq the next page begins; nil where none is due.
    func nextPage(now: MonotonicTime) -> Int64? { place ?? (isDue(now: now) ? 0 : nil) }

    /// A page was looked at.
    /// - Parameter interval: to the next pass, nanoseconds.
    mutating func endPage(_ result: DeliveryScanResult, now: MonotonicTime, interval: MonotonicTime) {
        place = result.isEnd ? nil : result.frontier
        nextPassAt = now + interval
    }

    /// A page could not be read: the pass begins again at that time.
    mutating func fail(until time: MonotonicTime) { (place, nextPassAt) = (nil, time) }
}
