import DequeModule

/// Decides who gets which message when: the rules of delivery of all groups of one broker, without I/O and without a clock.
///
/// The shell holds a lock around it, calls one of its inputs with a batch, releases the lock and carries out the
/// `DeliveryActions`. It guarantees that
/// - each group a message is owed to has it queued, in flight or left to the store, and never in two of these;
/// - what is only in memory can be found again by `DeliveryScan`s after the process died, here or by another broker;
/// - a message is settled in the store (`Settlement`) in the order of what happened to it;
/// - its memory is bounded by `DeliveryLimits`.
///
/// It does not read or write the store, does not know bindings (a message comes with its route), and does not decide
/// about half messages: they arrive here when they are committed.
package struct DeliveryMachine: Sendable {
    package let limits: DeliveryLimits

    var slots: [DeliverySlot] = []
    var freeSlots: [Int32] = []
    /// By shard, then seq: two shards may hold the same seq.
    var slotBySeq: [[Int64: Int32]]
    var memoryBytes = 0

    var groups: [DeliveryGroup] = []
    var groupByName: [BindingName: Int] = [:]
    /// The group that was last asked for by its name: mostly it is the next one, too.
    var recentGroup = 0
    var freeGroups: [Int] = []
    var pumpList: [Int] = []

    var clients: [DeliveryClient] = []
    var freeClients: [Int32] = []
    /// Pulls that wait, and receipts promised and not answered, of all groups.
    var waitingPulls = 0
    var receipts = 0
    var paused: Set<BindingName> = []

    /// Messages some groups have finished and some not, in the order that began.
    var partials = Deque<(slot: DeliverySlotRef, since: MonotonicTime)>()
    /// By shard: seqs whose settlement is not written yet; what the store says of them is out of date.
    var dirty: [[Int64: Dirty]]
    /// By shard: of these, those that the store does not take for now. What lies behind them is not kept waiting.
    var aside: [Set<Int64>]
    var unflushed: [Int]
    /// Too much of a shard is not written: nothing of it is delivered until half of that is.
    var isHeldUp: [Bool]
    /// Settled while a scan of the shard was under way, whose result may still show the old state.
    var settledDuringScan: [[Int64]]
    var isScanning: [Bool]
    /// By shard: fresh messages that scans found. An insert whose reply is slow may name one when it has been delivered and
    /// removed.
    var pagedIn: [RecentSeqs]
    /// Groups in the order in which their shards are looked at next.
    var scanTurn: [Int]
    /// Until when stored messages of each shard may be worked on.
    var leaseUntil: [MonotonicTime]
    /// How far each shard's server is ahead of `wall`.
    var serverLead: [Timestamp]
    var orphanScanAt: [MonotonicTime]
    /// Where the pass over the rows held here stands; nil between passes.
    var orphanCursor: [Int64?]
    /// By shard: the pass over the fresh messages that are this broker's.
    var strays: [StrayWatch]
    var lastTick = MonotonicTime.max
    var isDraining = false
    /// Bytes that may yet be handed to connections, by the shell's account of what they have not written; to be set before an input.
    package var outboundRoom = Int.max

    package var counters = DeliveryCounters()
    /// From the acceptance of a message here to its first attempt for each group; not of those read back from the store.
    package internal(set) var deliveryTimes = LatencyHistogram()
    /// From sending to the answer that came in time, whatever it was.
    package internal(set) var answerTimes = LatencyHistogram()
    var topics: TopicTable

    struct Dirty: Sendable {
        var count = 1
        /// The last settlement leaves the message owed to someone: its rows will be found again once it is written.
        var leavesRows: Bool
    }

    /// - Parameter topics: those that are counted apart.
    package init(shards: Int, limits: DeliveryLimits = DeliveryLimits(), topics: [String] = []) {
        self.limits = limits
        self.topics = TopicTable(topics)
        slotBySeq = Array(repeating: [:], count: shards)
        dirty = Array(repeating: [:], count: shards)
        pagedIn = Array(repeating: RecentSeqs(limit: max(1, limits.pagedInRemembered / shards)), count: shards)
        aside = Array(repeating: [], count: shards)
        unflushed = Array(repeating: 0, count: shards)
        isHeldUp = Array(repeating: false, count: shards)
        settledDuringScan = Array(repeating: [], count: shards)
        isScanning = Array(repeating: false, count: shards)
        scanTurn = Array(repeating: 0, count: shards)
        leaseUntil = Array(repeating: 0, count: shards)
        serverLead = Array(repeating: 0, count: shards)
        orphanScanAt = Array(repeating: 0, count: shards)
        orphanCursor = Array(repeating: nil, count: shards)
        strays = Array(repeating: StrayWatch(), count: shards)
    }

    // MARK: Slots

    mutating func makeSlot(
        seq: Int64, shard: Int, topic: Int, message: Message, owed: [DeliverySlot.Owed], isTracked: Bool,
        acceptedAt: MonotonicTime? = nil
    ) -> DeliverySlotRef {
        memoryBytes += message.footprint
        let index: Int32
        if let free = freeSlots.popLast() {
            index = free
            let generation = slots[Int(index)].generation &+ 1
            slots[Int(index)] = DeliverySlot(
                seq: seq, shard: shard, topic: topic, message: message, owed: owed, isTracked: isTracked,
                generation: generation, acceptedAt: acceptedAt)
        } else {
            index = Int32(slots.count)
            slots.append(
                DeliverySlot(
                    seq: seq, shard: shard, topic: topic, message: message, owed: owed, isTracked: isTracked,
                    generation: 0, acceptedAt: acceptedAt))
        }
        if seq != 0 { slotBySeq[shard][seq] = index }
        for p in owed.indices { count(owed[p], Int(index)) }
        return DeliverySlotRef(index: index, generation: slots[Int(index)].generation)
    }

    mutating func freeSlot(_ index: Int32) {
        let i = Int(index)
        for p in slots[i].owed.indices { uncount(slots[i].owed[p], i) }
        memoryBytes -= slots[i].message.footprint
        if slots[i].seq != 0 { slotBySeq[slots[i].shard][slots[i].seq] = nil }
        slots[i].clear()
        freeSlots.append(index)
    }

    func isCurrent(_ ref: DeliverySlotRef) -> Bool {
        slots[Int(ref.index)].generation == ref.generation && !slots[Int(ref.index)].isFree
    }

    // MARK: Settling

    mutating func emit(_ settlement: Settlement, shard: Int, _ actions: inout DeliveryActions) {
        let leavesRows = !settlement.pending.isEmpty || settlement.wasTracked
        if let known = dirty[shard][settlement.seq] {
            dirty[shard][settlement.seq] = Dirty(count: known.count + 1, leavesRows: leavesRows)
        } else {
            dirty[shard][settlement.seq] = Dirty(leavesRows: leavesRows)
        }
        unflushed[shard] += 1
        if unflushed[shard] >= unflushedShare { isHeldUp[shard] = true }
        actions.settlements.append((shard, settlement))
    }

    /// These settlements are written (or their rows are not ours any more, which comes to the same).
    package mutating func settled(
        _ seqs: [Int64], shard: Int, now: MonotonicTime, wall: Timestamp, _ actions: inout DeliveryActions
    ) {
        unflushed[shard] -= seqs.count
        if isScanning[shard] {
            settledDuringScan[shard].append(contentsOf: seqs)
        } else {
            clean(seqs, shard, &actions)
        }
        if isHeldUp[shard] && unflushed[shard] <= unflushedShare / 2 {
            isHeldUp[shard] = false
            unpark(shard, now: now)
            pump(now: now, wall: wall, &actions)
        }
    }

    /// A shard that cannot be written stops itself, and leaves the others their part.
    private var unflushedShare: Int { max(1, limits.unflushed / unflushed.count) }

    /// The store does not take these for now, while it takes others: their rows may be read meanwhile, and are nobody's until they
    /// are written.
    package mutating func putAside(_ seqs: [Int64], shard: Int) {
        for seq in seqs where dirty[shard][seq] != nil { aside[shard].insert(seq) }
    }

    mutating func clean(_ seqs: [Int64], _ shard: Int, _ actions: inout DeliveryActions) {
        for seq in seqs {
            guard let index = dirty[shard].index(forKey: seq) else { continue }
            if dirty[shard].values[index].count > 1 {
                dirty[shard].values[index].count -= 1
                continue
            }
            let leavesRows = dirty[shard].remove(at: index).value.leavesRows
            // Its groups have read past it.
            if aside[shard].remove(seq) != nil, leavesRows { reread(shard: shard, from: seq, &actions) }
        }
    }

    /// Whether what the store says of a message is out of date, and is soon to be right.
    func isBeingWritten(_ seq: Int64, _ shard: Int) -> Bool {
        dirty[shard][seq]?.leavesRows == true && !aside[shard].contains(seq)
    }
}
