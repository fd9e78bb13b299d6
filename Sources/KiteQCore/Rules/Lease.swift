/// What a broker may believe about its lease of one shard, by its own monotonic clock.
///
/// It counts from before the renewal was sent, so that it ends here no later than at the server. Past it the broker starts no new
/// work there; what it owns is lost only when another one has declared it dead.
package struct Lease: Sendable {
    /// Nanoseconds.
    package let duration: MonotonicTime
    /// Until when it holds; 0 before the first renewal and after `end`.
    package private(set) var until: MonotonicTime = 0
    private var lastSent: MonotonicTime?
    private var unbrokenSince: MonotonicTime?
    private var server = ""

    package init(duration: MonotonicTime) {
        precondition(duration > 0, "a lease lasts for some time, not \(duration) ns")
        self.duration = duration
    }

    /// How often to renew: twice it may fail.
    package var renewalInterval: MonotonicTime { duration / 3 }

    /// A renewal that was sent then was confirmed by this server.
    package mutating func renewed(sentAt: MonotonicTime, server: String) {
        // After an outage others may not have renewed yet: half a lease is more than a healthy broker leaves between two
        // renewals, and less than what the others' leases still have at its end.
        let isGap = lastSent.map { sentAt - $0 > duration / 2 } ?? true
        if isGap || server != self.server { unbrokenSince = sentAt }
        self.server = server
        lastSent = sentAt
        until = sentAt + duration
    }

    package func isHeld(now: MonotonicTime) -> Bool { now < until }

    package func wantsRenewal(now: MonotonicTime) -> Bool { lastSent.map { now - $0 >= renewalInterval } ?? true }

    /// Whether it may declare others dead whose lease has run out: after a whole lease of renewals without a gap, at one server,
    /// so that an outage of the server, or a server with another clock, lets everybody renew first.
    package func mayJudge(now: MonotonicTime) -> Bool {
        guard isHeld(now: now), let unbrokenSince else { return false }
        return now - unbrokenSince >= duration
    }

    /// Another broker has declared this one dead.
    package mutating func end() {
        until = 0
        lastSent = nil
        unbrokenSince = nil
    }
}
