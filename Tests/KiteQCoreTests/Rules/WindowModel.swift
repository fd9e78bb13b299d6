@testable import KiteQCore

/// What an ``InFlightWindow`` of numbers should do, in the plainest way.
struct WindowModel {
    struct Delivery {
        var entry: Int
        var deadline: MonotonicTime
        var since: MonotonicTime
        /// Which extension was its last one; 0 for none.
        var lastExtension = 0
        /// When it expired, as a number in the order of that.
        var expiry = 0

        /// What expires first: the earlier, then what was never extended, then the order of extensions or deliveries.
        var rank: (MonotonicTime, Int, Int) { (deadline, lastExtension, entry) }
    }

    let limit: Int
    let timeout: MonotonicTime
    let lateLimit: Int
    let lateTime: MonotonicTime
    var waiting: [UInt32: Delivery] = [:]
    var late: [UInt32: Delivery] = [:]
    private var pausedAt: MonotonicTime?
    private var extensions = 0
    private var expiries = 0

    init(limit: Int, timeout: MonotonicTime, lateLimit: Int, lateTime: MonotonicTime) {
        self.limit = limit
        self.timeout = timeout
        self.lateLimit = lateLimit
        self.lateTime = lateTime
    }

    var nextDeadline: MonotonicTime? {
        pausedAt == nil ? waiting.values.map(\.deadline).min() : nil
    }

    func oldestAge(now: MonotonicTime) -> MonotonicTime? {
        waiting.values.map(\.since).min().map { (pausedAt ?? now) - $0 }
    }

    mutating func deliver(_ entry: Int, as opaque: UInt32, now: MonotonicTime) {
        forget(now)
        // While paused, `resume` adds the whole pause: count from its start.
        let start = pausedAt ?? now
        waiting[opaque] = Delivery(entry: entry, deadline: start + timeout, since: start)
    }

    mutating func extend(_ opaque: UInt32, now: MonotonicTime, longest: MonotonicTime) -> Bool {
        let time = pausedAt ?? now
        guard let delivery = waiting[opaque], time - delivery.since < longest else { return false }
        if time + timeout > delivery.deadline {
            extensions += 1
            waiting[opaque]?.deadline = time + timeout
            waiting[opaque]?.lastExtension = extensions
        }
        return true
    }

    mutating func acknowledge(_ opaque: UInt32) -> InFlightWindow<Int>.Acknowledged {
        if let delivery = waiting.removeValue(forKey: opaque) { return .inTime(delivery.entry) }
        if let delivery = late.removeValue(forKey: opaque) { return .late(delivery.entry) }
        return .unknown
    }

    mutating func expire(now: MonotonicTime) -> Int? {
        guard pausedAt == nil, let first = waiting.min(by: { $0.value.rank < $1.value.rank }),
            first.value.deadline <= now
        else { return nil }
        waiting[first.key] = nil
        expiries += 1
        late[first.key] = first.value
        late[first.key]?.expiry = expiries
        forget(now)
        return first.value.entry
    }

    mutating func pause(now: MonotonicTime) {
        pausedAt = pausedAt ?? now
    }

    mutating func resume(now: MonotonicTime) {
        guard let start = pausedAt else { return }
        pausedAt = nil
        for opaque in waiting.keys {
            waiting[opaque]?.deadline += now - start
            waiting[opaque]?.since += now - start
        }
        for opaque in late.keys { late[opaque]?.deadline += now - start }
    }

    mutating func drain() -> [Int] {
        defer {
            waiting = [:]
            late = [:]
        }
        return waiting.values.map(\.entry).sorted()
    }

    private mutating func forget(_ now: MonotonicTime) {
        let time = pausedAt ?? now
        while let first = late.min(by: { $0.value.expiry < $1.value.expiry }),
            late.count > lateLimit || time - first.value.deadline > lateTime
        {
            late[first.key] = nil
        }
    }
}
