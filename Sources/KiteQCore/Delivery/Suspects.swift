/// Messages of one group that were in flight when a connection was lost, several at once: one of them may have killed its
/// consumer, and nobody knows which.
///
/// So a loss is held against none of them. They are divided into four lots, and tried again lot by lot, apart from all others, over
/// one connection at a time; a lot that is lost is divided again, until one message is a lot of its own. Whose consumer is
/// lost then has failed an attempt, and that takes nobody along, however often it happens. Any answer clears a message.
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

    /// With the lot of each.
    private var known: [Key: Int] = [:]
    private var lots = 0
    /// The lot that was tried last, and how many of it are in flight.
    private var tried = 0
    private(set) var inFlight = 0
    private var until = MonotonicTime.min

    var isEmpty: Bool { known.isEmpty }

    func contains(_ seq: Int64, _ shard: Int) -> Bool { lot(of: seq, shard) != nil }

    /// Whether it may be in flight now: with others of its lot, or alone.
    func mayBeTried(_ seq: Int64, _ shard: Int) -> Bool { inFlight == 0 || lot(of: seq, shard) == tried }

    private func lot(of seq: Int64, _ shard: Int) -> Int? { known[Key(seq: seq, shard: Int32(shard))] }

    /// They were in flight together when their connection was lost; in the order in which they were sent.
    mutating func insert(_ lost: [(seq: Int64, shard: Int32)], now: MonotonicTime) {
        guard !lost.isEmpty else { return }
        let size = max(1, lost.count / 4)
        for (index, (seq, shard)) in lost.enumerated() {
            if index % size == 0 { lots += 1 }
            let key = Key(seq: seq, shard: shard)
            if known.count < Self.capacity || known[key] != nil { known[key] = lots }
        }
        until = now + Self.memory
    }

    /// It was answered, or is not owed any more.
    mutating func clear(_ seq: Int64, _ shard: Int) { known[Key(seq: seq, shard: Int32(shard))] = nil }

    mutating func wasSent(_ seq: Int64, _ shard: Int) {
        if let lot = lot(of: seq, shard) { tried = lot }
        inFlight += 1
    }

    /// It is not in flight any more, for whatever reason.
    mutating func hasEnded() { inFlight -= 1 }

    /// Time has passed.
    mutating func forget(now: MonotonicTime) {
        if !known.isEmpty, now >= until { known = [:] }
    }
}
