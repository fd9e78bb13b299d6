import DequeModule

/// A consumer group: its clients here, what waits for them in memory, and how far its backlog in each shard was read.
struct DeliveryGroup: Sendable {
    /// Where a group stands with one shard's rows.
    enum Backlog: Sendable, Hashable {
        /// No client here: everything is left to the store.
        case away
        /// Rows may lie in the store that are not in memory. All up to `frontier` were seen.
        case paging(frontier: Int64, isScanning: Bool)
        /// Nothing is in the store alone: what is accepted goes to the queue.
        case live
    }

    struct Shard: Sendable {
        var backlog = Backlog.away
        /// Messages accepted during a scan, in order of arrival.
        var held: [DeliverySlotRef] = []
        /// The smallest seq that was left to the store during a scan for want of room.
        var overflow = Int64.max
        /// When this group's rows are looked for next: known from rows written here, or found by a scan.
        var nextDue = Timestamp.max
        var nextDueScan = MonotonicTime.max
        /// Where the pass over due rows stands; nil between passes.
        var dueCursor: DeliveryCursor?
        var isScanningDue = false
        /// Backlog and due rows take turns.
        var lastScanWasDue = false
        /// No backlog scan before this.
        var backlogScanAfter = MonotonicTime(0)
    }

    var name: String
    var clients: [Int32] = []
    var nextClient = 0
    var queue = Deque<DeliverySlotRef>()
    var bucket: TokenBucket
    var watermark: Int
    var shards: [Shard]
    /// Counts presences: a scan begun in an earlier one says nothing.
    var epoch: UInt32 = 0
    var needsPump = false
    var inFlight = 0

    var isAway: Bool { clients.isEmpty }
}
