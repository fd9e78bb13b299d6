/// How long nothing happened that should happen all the time.
package enum Gaps {
    /// The longest time between two of these moments, from `start` to `end`, of which each counts as one; 0.1 ms.
    ///
    /// - Parameter times: in any order.
    package static func longest(_ times: some Sequence<UInt32>, from start: UInt32, to end: UInt32) -> UInt32 {
        guard start < end else { return 0 }
        var (longest, last): (UInt32, UInt32) = (0, start)
        for time in times.filter({ start <= $0 && $0 <= end }).sorted() {
            longest = max(longest, time - last)
            last = time
        }
        return max(longest, end - last)
    }
}
