/// The settlements of one shard that were emitted and are not written yet. Until they are, what the store says of their messages is out of
/// date.
struct UnwrittenSettlements: Sendable {
    private struct Entry {
        /// Settlements of this message.
        var count = 1
        /// The last one leaves the message owed to somebody: its rows will be found again once it is written.
        var leavesRows: Bool
    }

    private var entries: [Int64: Entry] = [:]
    /// Of these, those that the store does not take for now. What lies behind them is not kept waiting.
    private var aside: Set<Int64> = []
    private(set) var count = 0
    private let limit: Int
    /// There are too many: nothing of the shard is delivered until half of them are written.
    private(set) var areTooMany = false

    /// - Parameter limit: so many are too many.
    init(limit: Int) { self.limit = limit }

    var isEmpty: Bool { entries.isEmpty }

    func contains(_ seq: Int64) -> Bool { entries[seq] != nil }

    /// Whether what the store says of a message is soon to be right, and shows it as owed then.
    func willLeaveRows(of seq: Int64) -> Bool { entries[seq]?.leavesRows == true && !aside.contains(seq) }

    func isAside(_ seq: Int64) -> Bool { aside.contains(seq) }

    mutating func add(_ settlement: Settlement) {
        let leavesRows = !settlement.pending.isEmpty || settlement.wasTracked
        if let index = entries.index(forKey: settlement.seq) {
            entries.values[index].count += 1
            entries.values[index].leavesRows = leavesRows
        } else {
            entries[settlement.seq] = Entry(leavesRows: leavesRows)
        }
        count += 1
        if count >= limit { areTooMany = true }
    }

    /// The store does not take these for now, while it takes others: their rows may be read meanwhile, and are nobody's until they
    /// are written.
    mutating func putAside(_ seqs: [Int64]) {
        for seq in seqs where entries[seq] != nil { aside.insert(seq) }
    }

    /// So many are written.
    /// - Returns: whether they were too many, and are not any more.
    mutating func written(_ count: Int) -> Bool {
        self.count -= count
        guard areTooMany && self.count <= limit / 2 else { return false }
        areTooMany = false
        return true
    }

    /// What the store says of these, as far as they are all of a message, is right from now on.
    /// - Returns: those that were put aside and leave rows: groups have read past them.
    mutating func forget(_ seqs: [Int64]) -> [Int64] {
        var passed: [Int64] = []
        for seq in seqs {
            guard let index = entries.index(forKey: seq) else { continue }
            if entries.values[index].count > 1 {
                entries.values[index].count -= 1
                continue
            }
            let leavesRows = entries.remove(at: index).value.leavesRows
            if aside.remove(seq) != nil, leavesRows { passed.append(seq) }
        }
        return passed
    }
}
