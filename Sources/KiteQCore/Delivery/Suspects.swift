/// Messages of one group that were in flight when a connection was lost, several at once: one of them may have killed its
/// consumer, and nobody knows which.
///
/// So a loss is held against none of them. They are tried again apart from all others, and each in a company that is a quarter of the one that
/// it was lost in, until it is alone: whose consumer is lost then has failed an attempt, and that takes nobody along, however often it
/// happens. Any answer clears a message.
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

    private var known: [Key: Int32] = [:]
    private var until = MonotonicTime.min

    var isEmpty: Bool { known.isEmpty }

    /// How many may be in flight over a connection while this one is, itself included; nil where it is no suspect.
    func company(of seq: Int64, _ shard: Int) -> Int32? {
        known.isEmpty ? nil : known[Key(seq: seq, shard: Int32(shard))]
    }

    /// They were in flight together when their connection was lost.
    mutating func insert(_ lost: [(seq: Int64, shard: Int32)], now: MonotonicTime) {
        guard !lost.isEmpty else { return }
        let company = Int32(max(1, lost.count / 4))
        for (seq, shard) in lost {
            let key = Key(seq: seq, shard: shard)
            if known.count < Self.capacity || known[key] != nil { known[key] = company }
        }
        until = now + Self.memory
    }

    /// It was answered, or is not owed any more.
    mutating func clear(_ seq: Int64, _ shard: Int) {
        // Every answer comes here.
        if !known.isEmpty { known[Key(seq: seq, shard: Int32(shard))] = nil }
    }

    /// Time has passed.
    mutating func forget(now: MonotonicTime) {
        if !known.isEmpty, now >= until { known = [:] }
    }
}
