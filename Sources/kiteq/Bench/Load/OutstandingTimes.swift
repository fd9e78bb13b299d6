/// When each publish that awaits its store ack was, or should have been, sent: by its opaque, which counts up.
struct OutstandingTimes {
    private var times: [Int64]
    private(set) var count = 0

    /// - Parameter capacity: opaques between the oldest and the newest one; a power of two.
    init(capacity: Int) {
        precondition(capacity & (capacity - 1) == 0, "a power of two")
        times = Array(repeating: 0, count: capacity)
    }

    /// - Returns: false where the one that has its place is not answered yet.
    mutating func insert(_ opaque: Int32, time: Int64) -> Bool {
        let index = Int(opaque) & (times.count - 1)
        guard times[index] == 0 else { return false }
        times[index] = time
        count += 1
        return true
    }

    /// The time, once.
    mutating func remove(_ opaque: Int32) -> Int64? {
        let index = Int(opaque) & (times.count - 1)
        guard times[index] != 0 else { return nil }
        defer { times[index] = 0 }
        count -= 1
        return times[index]
    }
}
