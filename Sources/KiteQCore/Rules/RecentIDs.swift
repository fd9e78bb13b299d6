/// The ids of what was finished a short while ago: bounded in number and age, oldest out first.
///
/// An id is known for `age` after it was inserted and then, exactly, not any more; sooner only if `limit` others came after it.
/// Every call takes constant time on average, and the memory for the most that were held at once is kept: 32 to 64 bytes an
/// id. The order of the table depends on a random seed, so ids that a producer chose to collide do not.
package struct RecentIDs: Sendable {
    private struct Entry: Sendable {
        var id: MessageID
        var time: MonotonicTime
    }

    /// No insertion lets go of more than this, lest the first after a silence pays for all that have grown old.
    private static let evictionsPerInsertion = 4

    private let limit: Int
    private let age: MonotonicTime
    private let seed: (high: UInt64, low: UInt64)

    /// A ring in the order of insertion; its size is a power of two. An id that came again has an older place too, which the
    /// table no longer points to.
    private var ring: [Entry] = []
    private var head = 0
    private var used = 0
    /// Open addressing with linear probing, twice the size of the ring: a place in the ring plus 1, or 0.
    private var table: [UInt32] = []

    /// How many ids are held, those included that are too old and not yet let go.
    package private(set) var count = 0

    /// - Parameters:
    ///   - limit: how many are remembered; 0 or below remembers nothing, more than 2³⁰ counts as that.
    ///   - age: for how long, nanoseconds; a minute by default.
    package init(limit: Int, age: MonotonicTime = 60_000_000_000) {
        self.limit = min(max(0, limit), 1 << 30)
        self.age = age
        seed = (.random(in: .min ... .max), .random(in: .min ... .max))
    }

    /// Remembers an id from now on; one that is known starts anew.
    package mutating func insert(_ id: MessageID, now: MonotonicTime) {
        guard limit > 0 else { return }
        var evictions = 0
        while used == limit || (evictions < Self.evictionsPerInsertion && used > 0 && now - ring[head].time > age) {
            evict()
            evictions += 1
        }
        if used == ring.count { grow() }
        let place = (head + used) & (ring.count - 1)
        ring[place] = Entry(id: id, time: now)
        used += 1
        let cell = cell(of: id)
        if table[cell] == 0 { count += 1 }
        table[cell] = UInt32(place + 1)
    }

    /// Whether an id was inserted at most `age` ago.
    package func contains(_ id: MessageID, now: MonotonicTime) -> Bool {
        guard count > 0 else { return false }
        let place = table[cell(of: id)]
        return place != 0 && now - ring[Int(place) - 1].time <= age
    }

    /// Lets go of the oldest place.
    private mutating func evict() {
        let cell = cell(of: ring[head].id)
        if table[cell] == UInt32(head + 1) {
            clear(cell)
            count -= 1
        }
        head = (head + 1) & (ring.count - 1)
        used -= 1
    }

    /// Where an id is in the table, or would be.
    private func cell(of id: MessageID) -> Int {
        let mask = table.count - 1
        var cell = home(of: id)
        while table[cell] != 0, ring[Int(table[cell]) - 1].id != id { cell = (cell + 1) & mask }
        return cell
    }

    private func home(of id: MessageID) -> Int {
        let product = (id.high ^ seed.high).multipliedFullWidth(by: id.low ^ seed.low)
        return Int(truncatingIfNeeded: product.high ^ product.low) & (table.count - 1)
    }

    /// Empties a cell, and moves up what its being taken had pushed further.
    private mutating func clear(_ cell: Int) {
        let mask = table.count - 1
        var gap = cell
        var next = (gap + 1) & mask
        while table[next] != 0 {
            let home = home(of: ring[Int(table[next]) - 1].id)
            // It may move to the gap unless its home lies behind that, on the way round.
            if (next - home) & mask >= (next - gap) & mask {
                table[gap] = table[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        table[gap] = 0
    }

    private mutating func grow() {
        let old = (0..<used).map { ring[(head + $0) & (ring.count - 1)] }
        let size = max(64, ring.count * 2)
        ring = old + repeatElement(Entry(id: MessageID(high: 0, low: 0), time: 0), count: size - old.count)
        head = 0
        table = [UInt32](repeating: 0, count: size * 2)
        // In order, so that of an id that came again the newest place is pointed to.
        for place in 0..<used { table[cell(of: ring[place].id)] = UInt32(place + 1) }
    }
}
