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

    var slots: SlotTable

    var groups = GroupTable()
    var pumpList: [GroupIndex] = []

    var clients = ClientTable()
    /// Pulls that wait, and receipts promised and not answered, of all groups.
    var waitingPulls = 0
    var receipts = 0
    var paused: Set<BindingName> = []

    /// Messages some groups have finished and some not, in the order that began.
    var partials = Deque<(slot: DeliverySlotRef, since: MonotonicTime)>()
    var shards: [DeliveryShard]
    var lastTick = MonotonicTime.max
    var isDraining = false

    package var counters = DeliveryCounters()
    /// From the acceptance of a message here to its first attempt for each group; not of those read back from the store.
    package internal(set) var deliveryTimes = LatencyHistogram()
    /// From sending to the answer that came in time, whatever it was.
    package internal(set) var answerTimes = LatencyHistogram()
    var topics: TopicTable

    /// - Parameters:
    ///   - topics: those that are counted apart.
    ///   - catalog: what holds for their messages, and for all others.
    package init(
        shards: Int, limits: DeliveryLimits = DeliveryLimits(), topics: [String] = [],
        catalog: TopicCatalog = TopicCatalog()
    ) {
        self.limits = limits
        self.topics = TopicTable(topics, catalog)
        slots = SlotTable(shards: shards)
        // A shard that cannot be written stops itself, and leaves the others their part.
        let shard = DeliveryShard(
            unwritten: max(1, limits.unflushed / shards), pagedIn: max(1, limits.pagedInRemembered / shards))
        self.shards = Array(repeating: shard, count: shards)
    }

    // MARK: Settling

    mutating func emit(_ settlement: Settlement, shard: Int, _ moment: inout DeliveryMoment) {
        shards[shard].add(settlement)
        moment.actions.settlements.append((shard, settlement))
    }

    /// These settlements are written (or their rows are not ours any more, which comes to the same).
    package mutating func settled(_ seqs: [Int64], shard: Int, _ moment: inout DeliveryMoment) {
        let (passed, goesOn) = shards[shard].written(seqs)
        for seq in passed { reread(shard: shard, from: seq, &moment) }
        guard goesOn else { return }
        unpark(shard, now: moment.now)
        pump(&moment)
    }

    /// The store does not take these for now, while it takes others.
    package mutating func putAside(_ seqs: [Int64], shard: Int) { shards[shard].putAside(seqs) }
}
