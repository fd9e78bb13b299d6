/// A client's share of its group's messages, rising from nothing to full over the time it asked for (warmingupSec).
package struct WarmUp: Sendable, Hashable {
    package static let full: UInt32 = 1_024

    private let start: MonotonicTime
    /// Nanoseconds; 0 is warm from the start.
    private let duration: MonotonicTime

    /// - Parameter seconds: 0 or below is warm at once; more than a day counts as a day.
    package init(seconds: Int, start: MonotonicTime) {
        self.start = start
        duration = MonotonicTime(min(max(0, seconds), 86_400)) * 1_000_000_000
    }

    /// 0 to `full`.
    package func weight(now: MonotonicTime) -> UInt32 {
        let elapsed = now - start
        if elapsed >= duration { return Self.full }
        if elapsed <= 0 { return 0 }
        // A day of nanoseconds times 1,024 is far from overflow.
        return UInt32(elapsed * MonotonicTime(Self.full) / duration)
    }
}
