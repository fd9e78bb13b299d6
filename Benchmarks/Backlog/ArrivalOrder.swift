import KiteQCore

/// How far from oldest first numbered messages come.
struct ArrivalOrder: Sendable {
    private var seen: [Bool]
    private var highest = -1
    private var highestOfShard: [Int]
    private let map: ShardMap
    private var arrivals = 0
    private var unique = 0
    /// By how many numbers a message came behind one that is younger: how often, by powers of two.
    private var lags: [Int: Int] = [:]
    private var furthest = 0
    private var inversions = 0
    private var furthestInShard = 0

    init(count: Int, shards: Int) {
        seen = Array(repeating: false, count: count)
        highestOfShard = Array(repeating: -1, count: shards)
        map = ShardMap(shards: shards)
    }

    var isComplete: Bool { unique == seen.count }

    mutating func add(_ number: Int, _ id: MessageID) {
        arrivals += 1
        guard seen.indices.contains(number), !seen[number] else { return }
        seen[number] = true
        unique += 1
        let shard = map.shard(of: id)
        if number < highestOfShard[shard] {
            inversions += 1
            furthestInShard = max(furthestInShard, highestOfShard[shard] - number)
        } else {
            highestOfShard[shard] = number
        }
        let lag = max(0, highest - number)
        furthest = max(furthest, lag)
        lags[lag == 0 ? 0 : Int.bitWidth - lag.leadingZeroBitCount, default: 0] += 1
        highest = max(highest, number)
    }

    func line(seconds: Double) -> String {
        var within = 0
        var total = 0
        // The power of two below which 99 of 100 are.
        for bits in lags.keys.sorted() where total * 100 < unique * 99 {
            total += lags[bits] ?? 0
            within = 1 << bits
        }
        return "drained \(unique) unique (\(arrivals - unique) again) in \(seconds.text) s, "
            + "\(Int(Double(unique) / max(seconds, 0.001))) a second; behind a younger one by at most \(furthest) (99 % below "
            + "\(within)); out of order within a shard: \(inversions), by at most \(furthestInShard)"
    }
}
