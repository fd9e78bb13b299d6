/// What a broker has seen of all leases of one shard, and whose are over by that.
///
/// A lease is over when its row was seen unchanged for a whole lease, in looks that followed one another closely, at one
/// server. No clock is asked but the watcher's own: a server's clock that is set forward ends nobody. And an outage, or another
/// server, begins the watch anew, so that everybody has a whole lease's time to renew first. So does a row of the watcher's own
/// that stands still: what can be read and not written (a table that is locked) is no other's fault, either.
package struct LeaseWatch: Sendable {
    private struct Sighting {
        /// What the row said; each renewal changes it.
        var leaseUntil: Timestamp
        /// The first look that found it so.
        var since: MonotonicTime
    }

    private let duration: MonotonicTime
    private var seen: [Int64: Sighting] = [:]
    private var server = ""
    private var lastLook: MonotonicTime?

    /// - Parameter duration: of a lease, nanoseconds.
    package init(duration: MonotonicTime) { self.duration = duration }

    /// - Parameters:
    ///   - leases: by incarnation, of all that nobody has declared dead.
    ///   - own: the watcher's, if it has one; it is renewed three times in a lease.
    ///   - now: after they were read.
    /// - Returns: incarnations that may be declared dead, if their row is still the same then.
    package mutating func look(
        at leases: [Int64: Timestamp], own: Int64? = nil, server: String, now: MonotonicTime
    ) -> Set<Int64> {
        let isGap = lastLook.map { now - $0 > duration / 2 } ?? true
        if isGap || server != self.server { seen = [:] }
        (self.server, lastLook) = (server, now)
        if let own, let earlier = seen[own], earlier.leaseUntil == leases[own], now - earlier.since > duration * 2 / 3 {
            seen = [own: earlier]
        }
        var over: Set<Int64> = []
        var current: [Int64: Sighting] = [:]
        for (number, leaseUntil) in leases {
            if let earlier = seen[number], earlier.leaseUntil == leaseUntil {
                current[number] = earlier
                if number != own, now - earlier.since >= duration { over.insert(number) }
            } else {
                current[number] = Sighting(leaseUntil: leaseUntil, since: now)
            }
        }
        seen = current
        return over
    }
}
