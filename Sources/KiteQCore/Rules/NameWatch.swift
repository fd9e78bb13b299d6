/// Whether a name is free, as whoever wants to join under it sees it in one shard.
///
/// A life of that name which has not ended may be a crashed one, or a broker that works. The first has no connection to the
/// server any more, or lets its lease run out while it is watched (``LeaseWatch``: no clock is asked but the watcher's own). The
/// second renews its lease before its eyes.
package struct NameWatch: Sendable {
    /// A life of the name that nobody has declared dead.
    package struct Life: Sendable, Hashable {
        package var number: Int64
        package var leaseUntil: Timestamp
        /// The server has none of its connections any more.
        package var isGone: Bool

        package init(number: Int64, leaseUntil: Timestamp, isGone: Bool = false) {
            self.number = number
            self.leaseUntil = leaseUntil
            self.isGone = isGone
        }
    }

    package enum Verdict: Sendable, Hashable {
        /// All may be declared dead, if their rows are the same then.
        case free
        /// This one works.
        case taken(by: Int64)
        /// It cannot be told yet.
        case open
    }

    private var leases: LeaseWatch
    private var first: [Int64: Timestamp] = [:]
    private var server = ""

    /// - Parameter duration: of a lease, nanoseconds.
    package init(duration: MonotonicTime) { leases = LeaseWatch(duration: duration) }

    /// - Parameters:
    ///   - lives: of the name, those that nobody has declared dead.
    ///   - now: after they were read.
    package mutating func look(at lives: [Life], server: String, now: MonotonicTime) -> Verdict {
        // Another server may lack a renewal, or have it: what was seen before says nothing about it.
        if server != self.server { first = [:] }
        self.server = server
        let over = leases.look(
            at: Dictionary(uniqueKeysWithValues: lives.map { ($0.number, $0.leaseUntil) }), server: server, now: now)
        for life in lives {
            if let seen = first[life.number], seen != life.leaseUntil { return .taken(by: life.number) }
            first[life.number] = life.leaseUntil
        }
        return lives.allSatisfy { $0.isGone || over.contains($0.number) } ? .free : .open
    }
}
