/// What the delivery machine asks its shell to do, after the lock is released.
package struct DeliveryActions: Sendable {
    /// One message to one client.
    package struct Delivery: Sendable {
        package var client: DeliveryClientID
        package var opaque: UInt32
        package var message: Message
    }

    package var deliveries: [Delivery] = []
    /// To be written behind, in this order; the shell reports each with `settled`.
    package var settlements: [(shard: Int, settlement: Settlement)] = []
    /// Ids that are done: a repeated publish of them is acknowledged and not stored for a while.
    package var finished: [MessageID] = []
    /// Whether a scan of some shard became wanted.
    package var scansWanted = false

    package init() {}

    package var isEmpty: Bool {
        deliveries.isEmpty && settlements.isEmpty && finished.isEmpty && !scansWanted
    }
}

/// A connection, to the delivery machine. Never used again for another one.
package struct DeliveryClientID: Sendable, Hashable {
    var index: Int32
    var generation: UInt32
}

/// A look into the store that the machine wants.
package struct DeliveryScan: Sendable {
    package enum Kind: Sendable, Hashable {
        /// The group's backlog: fresh messages and waiting rows above this seq.
        case backlog(after: Int64)
        /// Rows whose time has come.
        case due(after: DeliveryCursor)
    }

    package var group: String
    package var shard: Int
    package var kind: Kind
    package var limit: Int
    var groupIndex: Int
    /// The group's presence it belongs to; a result of an earlier one is dropped.
    var epoch: UInt32
}

/// What a scan found: keys in the order of the scan.
package struct DeliveryScanResult: Sendable {
    package struct Row: Sendable, Hashable {
        package var seq: Int64
        package var attempts: Int
        package var dueAt: Timestamp

        package init(seq: Int64, attempts: Int, dueAt: Timestamp = 0) {
            self.seq = seq
            self.attempts = attempts
            self.dueAt = dueAt
        }
    }

    package var rows: [Row]
    /// Backlog: every row up to this seq was seen, and is in `rows` or in memory. Not used for due rows.
    package var frontier: Int64
    /// Due rows: where the next page begins. Not used for the backlog.
    package var cursor: DeliveryCursor?
    /// Nothing more now.
    package var isEnd: Bool
    /// Due rows, at the end: when the next row that is not yet due becomes so.
    package var nextDue: Timestamp?

    package init(
        rows: [Row], frontier: Int64 = .max, cursor: DeliveryCursor? = nil, isEnd: Bool, nextDue: Timestamp? = nil
    ) {
        self.rows = rows
        self.frontier = frontier
        self.cursor = cursor
        self.isEnd = isEnd
        self.nextDue = nextDue
    }

    /// Merges a page of fresh messages and one of waiting rows, both ascending by seq, oldest first. Where one of them was
    /// cut, nothing beyond its end is taken from the other, so that the frontier holds for both.
    package static func backlog(fresh: [Int64], waiting: DeliveryPage, limit: Int) -> DeliveryScanResult {
        var frontier = Int64.max
        if fresh.count >= limit, let last = fresh.last { frontier = min(frontier, last) }
        if let next = waiting.next { frontier = min(frontier, next.seq) }
        var rows: [Row] = []
        rows.reserveCapacity(fresh.count + waiting.rows.count)
        var (f, w) = (0, 0)
        while f < fresh.count || w < waiting.rows.count {
            // A message that turned from fresh to tracked between the two reads is in both: once is enough.
            if w == waiting.rows.count || (f < fresh.count && fresh[f] < waiting.rows[w].seq) {
                rows.append(Row(seq: fresh[f], attempts: 0))
                f += 1
            } else {
                if f < fresh.count, fresh[f] == waiting.rows[w].seq { f += 1 }
                rows.append(Row(seq: waiting.rows[w].seq, attempts: waiting.rows[w].attempts))
                w += 1
            }
        }
        rows.removeAll { $0.seq > frontier }
        return DeliveryScanResult(rows: rows, frontier: frontier, isEnd: frontier == .max)
    }

    /// Keeps only the first `count` rows, as if the page had ended there.
    package mutating func keep(first count: Int) {
        guard count < rows.count else { return }
        rows.removeSubrange(count...)
        isEnd = false
        if let last = rows.last {
            frontier = min(frontier, last.seq)
            cursor = DeliveryCursor(dueAt: last.dueAt, seq: last.seq)
        }
    }
}
