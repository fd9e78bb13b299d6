import KiteQCore

/// How far from oldest first numbered messages come.
struct ArrivalOrder: Sendable {
    /// Messages that come after one that was published when they were stored already: those of one batch have no order.
    private struct Inversions: Sendable {
        var highest = -1
        var count = 0
        /// By how many numbers the one that came first is ahead, at most.
        var furthest = 0

        mutating func add(_ number: Int) {
            if number / FillCommand.batch < highest / FillCommand.batch {
                count += 1
                furthest = max(furthest, highest - number)
            }
            highest = max(highest, number)
        }
    }

    private var seen: [Bool]
    private var all = Inversions()
    private var byShard: [Inversions]
    private let map: ShardMap
    private var unique = 0
    private var again = 0
    private var start: ContinuousClock.Instant?
    private var end = ContinuousClock.now

    init(count: Int, shards: Int) {
        seen = Array(repeating: false, count: count)
        byShard = Array(repeating: Inversions(), count: shards)
        map = ShardMap(shards: shards)
    }

    var isComplete: Bool { unique == seen.count }

    mutating func add(_ number: Int, _ id: MessageID) {
        guard seen.indices.contains(number), !seen[number] else { return again += 1 }
        start = start ?? .now
        end = .now
        seen[number] = true
        unique += 1
        all.add(number)
        byShard[map.shard(of: id)].add(number)
    }

    var text: String {
        let seconds = max(0.001, start.map { (end - $0).seconds } ?? 0)
        return """
            \(unique) in \(seconds.text) s, \(Int(Double(unique) / seconds)) a second; \(again) came again; out of order \
            within a shard: \(byShard.map(\.count).reduce(0, +)), by at most \(byShard.map(\.furthest).max() ?? 0); over all \
            shards by at most \(all.furthest)
            """
    }
}
