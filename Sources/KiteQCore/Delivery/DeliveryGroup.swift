/// A consumer group: its clients here, what waits for them in memory, and how far its backlog in each shard was read.
struct DeliveryGroup: Sendable {
    /// Where a group stands with one shard's rows.
    enum Backlog: Sendable, Hashable {
        /// No client anywhere: everything is left to the store.
        case away
        /// Rows may lie in the store that are not in memory. All up to `frontier` were seen.
        case paging(frontier: Int64, isScanning: Bool)
        /// Nothing is in the store alone: what is accepted goes to the queue (or, for a group elsewhere, is given away).
        case live
    }

    struct Shard: Sendable {
        var backlog = Backlog.away
        /// Messages accepted during a scan, in order of arrival.
        var held: [DeliverySlotRef] = []
        /// The smallest seq that was left to the store during a scan for want of room.
        var overflow = Int64.max
        /// Queued messages that may not be sent while this broker's lease of the shard has lapsed, or too much of it is unwritten.
        var parked: [DeliverySlotRef] = []
        /// Rows of the group are due here, and since when that is known.
        var isDue = false
        var dueSince = MonotonicTime(0)
        /// Other living brokers have clients of the group. Where this one has none, it gives away what is for it.
        var isElsewhere = false
        /// Counts presences: a scan begun in an earlier one says nothing.
        var epoch: UInt32 = 0
        /// Backlog and due rows take turns.
        var lastScanWasDue = false
        /// No backlog scan before this.
        var backlogScanAfter = MonotonicTime(0)

        /// All rows up to this seq that wait for the group were seen; 0 where that is not known.
        var seenUpTo: Int64 {
            switch backlog {
            case .away: 0
            case .paging(let frontier, _): frontier
            case .live: .max
            }
        }

        mutating func isDue(since now: MonotonicTime) {
            if !isDue { dueSince = now }
            isDue = true
        }

        /// A new presence of the group: what an earlier one left is forgotten.
        mutating func start(_ backlog: Backlog) {
            let (isElsewhere, epoch) = (isElsewhere, epoch)
            self = Self()
            self.backlog = backlog
            self.isElsewhere = isElsewhere
            self.epoch = epoch &+ 1
        }
    }

    /// Its pulls, all together.
    struct Pulls: Sendable {
        var waiting = 0
        /// Promised and not answered.
        var receipts = 0
        /// Until when it is here without a client that waits; nil: it is not here by pulls.
        var presentUntil: MonotonicTime?
    }

    var name: String
    /// Those that may be sent something: its connections, and its pulls as long as they wait.
    var clients: [ClientIndex] = []
    var pulls = Pulls()
    /// Nothing is delivered to it, and what waits for it is in the store alone.
    var isPaused = false
    var counters = GroupTraffic()
    var nextClient = 0
    /// From then on all clients that ever came have their full weight.
    var warmAt = MonotonicTime.min
    /// Of its clients those of which nobody knows whether they consume.
    var unproven = 0
    var queue = GroupQueue()
    /// The client that is kept free for suspects that wait to be tried.
    var reserved: ClientIndex?
    var bucket: TokenBucket
    var watermark: Int
    var shards: [Shard]
    var needsPump = false
    var inFlight = 0
    var suspects = Suspects()
    /// Clients that have suspects in flight.
    var clientsOnTrial = 0
    /// When a connection was last lost that had something in flight.
    var lastLoss = MonotonicTime.min
    var isBound = false
    var isFree = false

    /// A message was sent to one of its clients.
    mutating func sent() {
        inFlight += 1
        counters.delivered += 1
    }

    /// No client here.
    var isAway: Bool { clients.isEmpty && pulls.presentUntil == nil }

    /// Whether one more client may be given suspects: the others go on with what is not suspected.
    var mayTryMore: Bool { clientsOnTrial < max(1, clients.count / 2) }

    /// Messages in memory that are to be sent.
    var waiting: Int { shards.reduce(queue.count + queue.countApart) { $0 + $1.held.count + $1.parked.count } }

    /// Nothing is known of it that would have to be kept, but for messages in memory.
    var isForgettable: Bool {
        !isBound && isAway && !isFree && !needsPump && suspects.isEmpty
            && shards.allSatisfy { $0.backlog == .away && !$0.isElsewhere }
    }
}
