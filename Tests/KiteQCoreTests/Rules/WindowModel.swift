@testable import KiteQCore

/// What an ``InFlightWindow`` of numbers should do, in the plainest way.
struct WindowModel {
    struct Delivery {
        var entry: Int
        var deadline: MonotonicTime
    }

    let limit: Int
    let timeout: MonotonicTime
    let lateLimit: Int
    let lateTime: MonotonicTime
    var waiting: [UInt32: Delivery] = [:]
    var late: [UInt32: Delivery] = [:]
    private var pausedAt: MonotonicTime?

    init(limit: Int, timeout: MonotonicTime, lateLimit: Int, lateTime: MonotonicTime) {
        self.limit = limit
        self.timeout = timeout
        self.lateLimit = lateLimit
        self.lateTime = lateTime
    }

    var nextDeadline: MonotonicTime? {
        pausedAt == nil ? waiting.values.map(\.deadline).min() : nil
    }

    mutating func deliver(_ entry: Int, as opaque: UInt32, now: MonotonicTime) {
        forget(now)
        // While paused, `resume` adds the whole pause: count from its start.
        waiting[opaque] = Delivery(entry: entry, deadline: (pausedAt ?? now) + timeout)
    }

    mutating func acknowledge(_ opaque: UInt32) -> InFlightWindow<Int>.Acknowledged {
        if let delivery = waiting.removeValue(forKey: opaque) { return .inTime(delivery.entry) }
        if let delivery = late.removeValue(forKey: opaque) { return .late(delivery.entry) }
        return .unknown
    }

    mutating func expire(now: MonotonicTime) -> Int? {
        guard pausedAt == nil, let first = waiting.min(by: { $0.value.entry < $1.value.entry }),
            first.value.deadline <= now
        else { return nil }
        waiting[first.key] = nil
        late[first.key] = first.value
        forget(now)
        return first.value.entry
    }

    mutating func pause(now: MonotonicTime) {
        pausedAt = pausedAt ?? now
    }

    mutating func resume(now: MonotonicTime) {
        guard let start = pausedAt else { return }
        pausedAt = nil
        for opaque in waiting.keys { waiting[opaque]?.deadline += now - start }
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
        while let first = late.min(by: { $0.value.entry < $1.value.entry }),
            late.count > lateLimit || time - first.value.deadline > lateTime
        {
            late[first.key] = nil
        }
    }
}
