/// What a broker may believe about its lease of one shard, by its own monotonic clock.
///
/// It counts from before the renewal was sent, so that it ends here no later than the others may take it for over
/// (`LeaseWatch`). Past it the broker starts no new work there; what it owns is lost only when another one has declared it dead.
package struct Lease: Sendable {
    /// Nanoseconds.
    package let duration: MonotonicTime
    /// Until when it holds; 0 before the first renewal and after `end`.
    package private(set) var until: MonotonicTime = 0

    package init(duration: MonotonicTime) {
        precondition(duration > 0, "a lease lasts for some time, not \(duration) ns")
        self.duration = duration
    }

    /// A renewal that was sent then was confirmed.
    package mutating func renewed(sentAt: MonotonicTime) { until = sentAt + duration }

    package func isHeld(now: MonotonicTime) -> Bool { now < until }

    /// Another broker has declared this one dead.
    package mutating func end() { until = 0 }
}
