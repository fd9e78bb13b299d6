import DequeModule

/// The deliveries of one connection that await their DELIVER_ACK, found by opaque.
///
/// Opaques are handed out in sequence, and every delivery of a connection has the same time for its answer: a queue in the
/// order of opaques is in the order of deadlines too, and needs no wheel or heap. Answers out of order leave holes, which go
/// when they reach the front or when they outnumber the rest, so one consumer that never answers holds up nothing and keeps
/// nothing but its own entry. What timed out stays for a while, so that a late answer is told from a wrong one.
///
/// A delivery that is extended has its whole time again from that moment on. So extensions are in the order of deadlines among
/// themselves, in a queue beside the first, and whatever is due next is at the front of one of the two.
///
/// Memory is bounded by `limit` and `lateLimit`: at most twice their sum, and 64, places; likewise deadlines of extensions and of
/// what is late.
/// `now` never goes back from one call to the next.
package struct InFlightWindow<Entry: Sendable>: Sendable {
    package enum Acknowledged: Sendable {
        case inTime(Entry)
        /// Its attempt was given up before.
        case late(Entry)
        /// Never delivered here, answered already, or too long ago.
        case unknown

        package var isUnknown: Bool { if case .unknown = self { true } else { false } }
    }

    private struct Place: Sendable {
        enum State: UInt8, Sendable {
            /// Its deadline is in the order of opaques.
            case waiting
            /// Its deadline is in `extended`.
            case extended
            /// Its deadline, which has passed, is in `lateOnes`.
            case expired
            case done
        }

        /// Nil once it is done.
        var entry: Entry?
        /// By the running clock: when its time is up or, once it expired, was.
        var deadline: MonotonicTime
        /// When it was delivered.
        let since: MonotonicTime
        let opaque: UInt32
        var state: State

        var isInFlight: Bool { state == .waiting || state == .extended }
    }

    /// At most so many may be in flight.
    package let limit: Int
    /// Nanoseconds for an answer.
    package let timeout: MonotonicTime
    /// So many of those that timed out are remembered,
    package let lateLimit: Int
    /// and for so long after.
    package let lateTime: MonotonicTime
    /// Those that await their answer, and were not yet taken out by `expire`.
    package private(set) var inFlight = 0
    /// Those that timed out and are still remembered.
    package private(set) var late = 0

    private var places = Deque<Place>()
    private var nextOpaque: UInt32
    /// All places before this index are extended, expired or done; at it is one that waits, or the end.
    private var firstWaiting = 0
    /// Those that were extended; at its front is no stale one.
    private var extended = DeadlineQueue()
    /// Those that timed out, in the order in which they did; at its front is no stale one.
    private var lateOnes = DeadlineQueue()
    /// How long the connection was not read, in all. The running clock is behind by as much.
    private var paused: MonotonicTime = 0
    private var pausedAt: MonotonicTime?

    /// - Parameters:
    ///   - limit: at least 1.
    ///   - timeout: nanoseconds, above 0.
    ///   - lateLimit: as many as `limit` and at least 64 unless given.
    ///   - lateTime: a minute unless given.
    package init(
        limit: Int, timeout: MonotonicTime, firstOpaque: UInt32 = 1, lateLimit: Int? = nil,
        lateTime: MonotonicTime = 60_000_000_000
    ) {
        precondition(limit >= 1, "a window lets at least 1 delivery be in flight, not \(limit)")
        precondition(timeout > 0, "a delivery has some time for its answer, not \(timeout) ns")
        self.limit = limit
        self.timeout = timeout
        self.lateLimit = max(0, lateLimit ?? max(64, limit))
        self.lateTime = lateTime
        nextOpaque = firstOpaque
    }

    package var hasRoom: Bool { inFlight < limit }

    /// How many more may be in flight.
    package var room: Int { limit - inFlight }

    package var isPaused: Bool { pausedAt != nil }

    /// How long the oldest of those in flight is out, the time not counted in which the connection was not read; nil where none is.
    package func oldestAge(now: MonotonicTime) -> MonotonicTime? {
        let oldest =
            extended.first == nil
            ? (firstWaiting < places.count ? places[firstWaiting] : nil) : places.first(where: \.isInFlight)
        return oldest.map { running(now) - $0.since }
    }

    /// When the next delivery times out; nil where none is in flight, or no deadline runs.
    package var nextDeadline: MonotonicTime? {
        guard pausedAt == nil, let next = nextDue else { return nil }
        return next.deadline + paused
    }

    /// By the running clock: of those in flight, the one whose time is up first.
    private var nextDue: DeadlineQueue.Item? {
        guard firstWaiting < places.count else { return extended.first }
        let waiting = places[firstWaiting]
        if let extended = extended.first, extended.deadline < waiting.deadline { return extended }
        return DeadlineQueue.Item(opaque: waiting.opaque, deadline: waiting.deadline)
    }

    /// Hands out the opaque of a delivery made now. There must be room.
    package mutating func deliver(_ entry: Entry, now: MonotonicTime) -> UInt32 {
        precondition(hasRoom, "the window of \(limit) deliveries is full")
        let time = running(now)
        if late > 0 { forgetLate(time) }
        let opaque = nextOpaque
        nextOpaque &+= 1
        places.append(
            Place(entry: entry, deadline: time + timeout, since: time, opaque: opaque, state: .waiting))
        inFlight += 1
        return opaque
    }

    /// An answer came. Whether in time depends on `expire` alone: an attempt counts until it was given up.
    package mutating func acknowledge(_ opaque: UInt32) -> Acknowledged {
        guard let index = index(of: opaque), let entry = places[index].entry else { return .unknown }
        let isInTime = places[index].isInFlight
        places[index].entry = nil
        places[index].state = .done
        if isInTime {
            inFlight -= 1
            skipAnswered()
        } else {
            late -= 1
            dropStaleLate()
        }
        trim()
        return isInTime ? .inTime(entry) : .late(entry)
    }

    /// This delivery is being worked on: it has its whole time from now on. False where there is nothing to extend: it was
    /// answered, given up, or is out for as long as deliveries may be extended.
    ///
    /// - Parameter longest: from its delivery on, the time not counted in which the connection was not read. An extension is
    ///   taken up to then, so that the delivery ends at most `timeout` after it.
    package mutating func extend(_ opaque: UInt32, now: MonotonicTime, longest: MonotonicTime) -> Bool {
        guard let index = index(of: opaque), places[index].isInFlight else { return false }
        let time = running(now)
        guard time - places[index].since < longest else { return false }
        guard time + timeout > places[index].deadline else { return true }
        places[index].deadline = time + timeout
        places[index].state = .extended
        extended.append(opaque, deadline: time + timeout)
        skipAnswered()
        return true
    }

    /// The next delivery whose time is up now, if any; call it until there is none.
    package mutating func expire(now: MonotonicTime) -> Entry? {
        guard let deadline = nextDeadline, deadline <= now, let due = nextDue, let index = index(of: due.opaque)
        else { return nil }
        let entry = places[index].entry
        places[index].state = .expired
        lateOnes.append(due.opaque, deadline: due.deadline)
        inFlight -= 1
        late += 1
        skipAnswered()
        forgetLate(running(now))
        return entry
    }

    /// Time has passed: forgets what timed out too long ago.
    package mutating func forgetLate(now: MonotonicTime) { forgetLate(running(now)) }

    /// The connection is not read from now on: answers cannot arrive, and no deadline runs.
    package mutating func pause(now: MonotonicTime) {
        if pausedAt == nil { pausedAt = now }
    }

    /// The connection is read again: every deadline is later by as long as it was not.
    package mutating func resume(now: MonotonicTime) {
        guard let start = pausedAt else { return }
        paused += max(0, now - start)
        pausedAt = nil
    }

    /// The connection is gone: all that awaited their answer, in order of delivery. Nothing is known of them after.
    package mutating func drain() -> [Entry] {
        let waiting = places.compactMap { $0.isInFlight ? $0.entry : nil }
        places.removeAll()
        extended.removeAll()
        lateOnes.removeAll()
        firstWaiting = 0
        inFlight = 0
        late = 0
        return waiting
    }

    /// The places in memory, holes included; for tests of the bound.
    var placeCount: Int { places.count }
    /// The deadlines kept beside them, stale ones included; for tests of the bound.
    var queuedCount: Int { extended.count + lateOnes.count }

    private func running(_ now: MonotonicTime) -> MonotonicTime { (pausedAt ?? now) - paused }

    private func index(of opaque: UInt32) -> Int? {
        guard let first = places.first else { return nil }
        // Distances from the first, since opaques wrap around. No place is further on than its distance.
        let distance = opaque &- first.opaque
        var low = 0
        var high = min(Int(distance), places.count - 1)
        while low <= high {
            // The furthest possible place is the right one as long as no hole was taken out.
            let middle = low == 0 && high == Int(distance) ? high : (low + high) / 2
            let found = places[middle].opaque &- first.opaque
            if found == distance { return middle }
            if found < distance { low = middle + 1 } else { high = middle - 1 }
        }
        return nil
    }

    /// Whether what a queue says of a delivery is what is true of it.
    private func isStale(_ item: DeadlineQueue.Item, _ state: Place.State) -> Bool {
        guard let index = index(of: item.opaque) else { return true }
        return places[index].state != state || places[index].deadline != item.deadline
    }

    /// Moves on to the next that waits, and to the next that was extended.
    private mutating func skipAnswered() {
        while firstWaiting < places.count, places[firstWaiting].state != .waiting { firstWaiting += 1 }
        guard extended.first != nil else { return }
        var queue = DeadlineQueue()
        swap(&queue, &extended)
        queue.drop(live: inFlight) { isStale($0, .extended) }
        swap(&queue, &extended)
    }

    private mutating func dropStaleLate() {
        guard lateOnes.first != nil else { return }
        var queue = DeadlineQueue()
        swap(&queue, &lateOnes)
        queue.drop(live: late) { isStale($0, .expired) }
        swap(&queue, &lateOnes)
    }

    /// Lets go of what timed out and is too much or too long ago.
    private mutating func forgetLate(_ time: MonotonicTime) {
        while let first = lateOnes.first, late > lateLimit || time - first.deadline > lateTime {
            if let index = index(of: first.opaque) {
                places[index].entry = nil
                places[index].state = .done
                late -= 1
            }
            dropStaleLate()
        }
        trim()
    }

    /// Takes out holes: those at the front and, where they outnumber the rest, all.
    private mutating func trim() {
        while places.first?.state == .done { removeFirst() }
        guard places.count > 2 * (inFlight + late) + 64 else { return }
        var kept = Deque<Place>(minimumCapacity: inFlight + late)
        var keptBefore = 0
        for (index, place) in places.enumerated() where place.state != .done {
            if index < firstWaiting { keptBefore += 1 }
            kept.append(place)
        }
        places = kept
        firstWaiting = keptBefore
    }

    private mutating func removeFirst() {
        places.removeFirst()
        firstWaiting = max(0, firstWaiting - 1)
    }
}

extension InFlightWindow.Acknowledged: Equatable where Entry: Equatable {}
