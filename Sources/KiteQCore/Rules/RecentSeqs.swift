/// The last seqs that were put in, at most `limit`: the oldest goes out first.
struct RecentSeqs: Sendable {
    private let limit: Int
    /// A ring once it is full; `oldest` is the place that the next one takes.
    private var ring: [Int64] = []
    private var oldest = 0
    private var known: Set<Int64> = []

    /// - Parameter limit: at least 1.
    init(limit: Int) {
        precondition(limit >= 1, "at least 1 seq is remembered, not \(limit)")
        self.limit = limit
    }

    var count: Int { known.count }

    /// One that is known already keeps its place.
    mutating func insert(_ seq: Int64) {
        guard known.insert(seq).inserted else { return }
        if ring.count < limit {
            ring.append(seq)
        } else {
            known.remove(ring[oldest])
            ring[oldest] = seq
            oldest = (oldest + 1) % limit
        }
    }

    func contains(_ seq: Int64) -> Bool { !known.isEmpty && known.contains(seq) }
}
