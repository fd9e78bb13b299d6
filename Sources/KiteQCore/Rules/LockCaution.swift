/// When to look whether rows are locked before they are touched: for a while after a lock was met, and as long as another
/// statement takes so long that it may be waiting for one. At all other times the look would be a round trip for nothing.
package struct LockCaution: Sendable {
    /// After the last lock that was met: 5 s.
    package static let memory: MonotonicTime = 5_000_000_000
    /// A statement that takes longer may be waiting: 150 ms.
    package static let patience: MonotonicTime = 150_000_000

    private var begunAt: [Int: MonotonicTime] = [:]
    private var next = 0
    private var until: MonotonicTime = .min

    package init() {}

    /// A statement begins; the number is for its end.
    package mutating func begin(now: MonotonicTime) -> Int {
        next += 1
        begunAt[next] = now
        return next
    }

    package mutating func end(_ number: Int) { begunAt[number] = nil }

    package mutating func metLock(now: MonotonicTime) { until = now + Self.memory }

    /// - Parameter number: of who asks, whose own time does not count.
    package func isCalledFor(besides number: Int, now: MonotonicTime) -> Bool {
        now < until || begunAt.contains { $0.key != number && now - $0.value > Self.patience }
    }
}
