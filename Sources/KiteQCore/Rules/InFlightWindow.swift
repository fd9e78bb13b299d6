import DequeModule

/// The deliveries of one connection that await their DELIVER_ACK, found by opaque.
///
/// Opaques are handed out in sequence, and every delivery of a connection has the same time for its answer: a ring in the
/// order of opaques is in the order of deadlines too, and needs no wheel or heap. Answers out of order leave holes, which go
/// when they reach the front. An entry that timed out stays for a while, so that a late answer is told from a wrong one.
package struct InFlightWindow<Entry: Sendable>: Sendable {
    package enum Acknowledged: Sendable {
        case inTime(Entry)
        /// Its attempt was given up before.
        case late(Entry)
        /// Never delivered here, answered already, or too long ago.
        case unknown
    }

    private enum Slot: Sendable {
        case waiting(Entry, deadline: MonotonicTime)
        case expired(Entry, at: MonotonicTime)
        case done
    }

    /// At most so many may be in flight.
    package let limit: Int
    package let timeout: MonotonicTime
    /// Those that await their answer, and whose time is not up.
    package private(set) var inFlight = 0

    private var ring = Deque<Slot>()
    /// The opaque of the front of the ring.
    private var base: UInt32
    /// How many of the ring's first slots are known to be past their deadline or done.
    private var checked = 0
    private var pausedAt: MonotonicTime?
    private let lateLimit: Int

    package init(limit: Int, timeout: MonotonicTime, firstOpaque: UInt32 = 1) {
        self.limit = max(1, limit)
        self.timeout = timeout
        base = firstOpaque
        lateLimit = max(64, limit) * 4
    }

    package var hasRoom: Bool { inFlight < limit }

    /// Hands out the opaque of a delivery made now.
    package mutating func deliver(_ entry: Entry, now: MonotonicTime) -> UInt32 {
        let opaque = base &+ UInt32(truncatingIfNeeded: ring.count)
        ring.append(.waiting(entry, deadline: now + timeout))
        inFlight += 1
        trim(now: now)
        return opaque
    }

    package mutating func acknowledge(_ opaque: UInt32) -> Acknowledged {
        let index = Int(opaque &- base)
        guard index < ring.count else { return .unknown }
        defer { dropDone() }
        switch ring[index] {
        case .waiting(let entry, _):
            ring[index] = .done
            inFlight -= 1
            return .inTime(entry)
        case .expired(let entry, _):
            ring[index] = .done
            return .late(entry)
        case .done:
            return .unknown
        }
    }

    /// The next delivery whose time is up now, if any; call it until there is none.
    package mutating func expire(now: MonotonicTime) -> Entry? {
        guard pausedAt == nil else { return nil }
        while checked < ring.count {
            guard case .waiting(let entry, let deadline) = ring[checked] else {
                checked += 1
                continue
            }
            guard deadline <= now else { return nil }
            ring[checked] = .expired(entry, at: now)
            checked += 1
            inFlight -= 1
            return entry
        }
        return nil
    }

    /// The connection is not read from now on: answers cannot arrive, and no deadline runs.
    package mutating func pause(now: MonotonicTime) {
        if pausedAt == nil { pausedAt = now }
    }

    package mutating func resume(now: MonotonicTime) {
        guard let start = pausedAt else { return }
        pausedAt = nil
        for index in ring.indices {
            if case .waiting(let entry, let deadline) = ring[index] {
                ring[index] = .waiting(entry, deadline: deadline + (now - start))
            }
        }
    }

    /// The connection is gone: all that awaited their answer, in order of delivery.
    package mutating func drain() -> [Entry] {
        let waiting = ring.compactMap { slot in
            if case .waiting(let entry, _) = slot { entry } else { nil }
        }
        base = base &+ UInt32(truncatingIfNeeded: ring.count)
        ring.removeAll()
        inFlight = 0
        checked = 0
        return waiting
    }

    /// Lets go of expired entries that are too many or too old.
    private mutating func trim(now: MonotonicTime) {
        while let first = ring.first {
            guard case .expired(_, let at) = first, ring.count > lateLimit || now - at > 60_000_000_000 else { break }
            dropFirst()
        }
        dropDone()
    }

    private mutating func dropDone() {
        while case .done? = ring.first { dropFirst() }
    }

    private mutating func dropFirst() {
        ring.removeFirst()
        base = base &+ 1
        if checked > 0 { checked -= 1 }
    }
}
