/// Messages of one group that were in flight when a connection was lost, several at once: one of them may have killed its
/// consumer, and nobody knows which.
///
/// So a loss is held against none of them. They are tried again apart from all others and fewer at a time, a quarter after each
/// further loss, until one is alone: whose consumer is lost then has failed an attempt. Any answer clears a message; as many answers
/// as are tried at a time let one more be.
///
/// What it knows outlasts the group's absence (a consumer that died is away until it is started again), and is forgotten some minutes
/// after the last loss.
struct Suspects: Sendable {
    private struct Key: Hashable {
        var seq: Int64
        var shard: Int32
    }

    /// So many are told apart; of more that are lost at once nothing is known.
    private static let capacity = 10_000
    /// How long one is remembered after the last loss, nanoseconds.
    private static let memory: MonotonicTime = 600_000_000_000

    private var known: Set<Key> = []
    /// So many may be in flight at a time.
    private(set) var limit = Int.max
    private(set) var inFlight = 0
    /// Cleared since the limit last grew.
    private var credit = 0
    private var until = MonotonicTime.min

    var isEmpty: Bool { known.isEmpty }

    /// One at a time: a loss is that one's.
    var areAlone: Bool { limit == 1 }

    func contains(_ seq: Int64, _ shard: Int) -> Bool { known.contains(Key(seq: seq, shard: Int32(shard))) }

    /// They were in flight together when their connection was lost. A loss that none of those known took part in says nothing of how
    /// many of them may be tried.
    mutating func insert(_ lost: [(seq: Int64, shard: Int32)], now: MonotonicTime) {
        guard !lost.isEmpty else { return }
        let isNews = known.isEmpty || lost.contains { contains($0.seq, Int($0.shard)) }
        for (seq, shard) in lost where known.count < Self.capacity { known.insert(Key(seq: seq, shard: shard)) }
        if isNews {
            limit = max(1, min(limit, lost.count / 4))
            credit = 0
        }
        until = now + Self.memory
    }

    /// It was answered, or is not owed any more.
    mutating func clear(_ seq: Int64, _ shard: Int) {
        guard known.remove(Key(seq: seq, shard: Int32(shard))) != nil else { return }
        if known.isEmpty {
            limit = .max
        } else {
            credit += 1
            guard credit >= limit else { return }
            limit += 1
            credit = 0
        }
    }

    mutating func wasSent() { inFlight += 1 }

    /// It is not in flight any more, for whatever reason.
    mutating func hasEnded() { inFlight -= 1 }

    /// Time has passed.
    mutating func forget(now: MonotonicTime) {
        guard !known.isEmpty, now >= until else { return }
        known = []
        limit = .max
    }
}
