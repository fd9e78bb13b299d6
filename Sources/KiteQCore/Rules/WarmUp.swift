/// A client's weight among its group's, rising linearly from nothing to full over the time it asked for
/// (docs/protocol.md#warming-up).
package struct WarmUp: Sendable, Hashable {
    package static let full: UInt32 = 1_024
    /// A day; what is above counts as this.
    package static let maximumSeconds = 86_400

    private let start: MonotonicTime
    /// From this time on it has its full weight.
    package let warmAt: MonotonicTime

    /// - Parameter seconds: 0 or below is warm at once; more than a day counts as a day.
    package init(seconds: Int, start: MonotonicTime) {
        self.start = start
        warmAt = start + MonotonicTime(min(max(0, seconds), Self.maximumSeconds)) * 1_000_000_000
    }

    /// 0 to `full`.
    package func weight(now: MonotonicTime) -> UInt32 {
        if now >= warmAt { return Self.full }
        if now <= start { return 0 }
        // A day of nanoseconds times 1,024 is below 2⁵⁷.
        return UInt32((now - start) * MonotonicTime(Self.full) / (warmAt - start))
    }
}
