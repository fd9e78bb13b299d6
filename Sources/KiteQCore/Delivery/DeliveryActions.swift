/// What the delivery machine asks its shell to do, after the lock is released.
package struct DeliveryActions: Sendable {
    /// One message to one client.
    package struct Delivery: Sendable {
        package var client: DeliveryClientID
        package var opaque: UInt32
        /// The group's attempt at it, 1 to 100.
        package var attempt: UInt8
        package var message: Message
    }

    /// A message that is given up for a group.
    package struct Burial: Sendable {
        package var message: Message
        package var group: String
        package var reason: DeadLetterReason
        package var attempts: Int
        package var error: String?
    }

    package var deliveries: [Delivery] = []
    /// For the log: what is to be written of them is among the settlements.
    package var burials: [Burial] = []
    /// To be written behind, in this order; the shell reports each with `settled`.
    package var settlements: [(shard: Int, settlement: Settlement)] = []
    /// Those that some group is done with, or the last one; a dead one is among the burials, too. A repeated publish of one
    /// that is not dead is acknowledged and not stored for a while.
    package var finished: [Message] = []
    /// Groups whose last client went.
    package var left: [String] = []
    /// Whether a scan of some shard became wanted.
    package var scansWanted = false

    package init() {}

    package var isEmpty: Bool {
        deliveries.isEmpty && settlements.isEmpty && finished.isEmpty && left.isEmpty && !scansWanted
    }
}

/// A connection or a pull, to the delivery machine. Never used again for another one.
package struct DeliveryClientID: Sendable, Hashable {
    var index: Int32
    var generation: UInt32

    init(index: Int32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// Any number makes an id; most are nobody's.
    package init(rawValue: UInt64) {
        index = Int32(truncatingIfNeeded: rawValue)
        generation = UInt32(truncatingIfNeeded: rawValue >> 32)
    }

    package var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: index)) }
}

/// A look into the store that the machine wants.
package struct DeliveryScan: Sendable {
    package enum Kind: Sendable, Hashable {
        /// The group's backlog: fresh messages and waiting rows above this seq.
        case backlog(after: Int64)
        /// Rows whose time has come, and those up to this seq that wait for the group: its backlog was read past them.
        case due(waitingUpTo: Int64)
        /// A group that has clients at other brokers alone: this broker's fresh messages for it above this seq, to be given away.
        case handOver(after: Int64)
        /// Rows above this seq that the store says are in this broker's memory, of any group.
        case orphans(after: Int64)
        /// Fresh messages that the store says are this broker's, from behind a place on: of groups that have all of theirs here in
        /// memory.
        case strays(of: Set<BindingName>, after: FreshPlace?)
    }

    /// Empty where it is for no group alone.
    package var group: String
    package var shard: Int
    package var kind: Kind
    package var limit: Int
    /// Bytes of messages to load, or the first message if it is larger. What is left is for another scan.
    package var maxBytes: Int
    var groupIndex: GroupIndex?
    /// The group's presence it belongs to; a result of an earlier one is dropped.
    var epoch: UInt32
}

/// What a scan found: keys in the order of the scan.
package struct DeliveryScanResult: Sendable {
    /// One message, as far as the group of the scan is concerned.
    package struct Row: Sendable, Hashable {
        package enum Kind: Sendable, Hashable {
            /// Owed to all of this route.
            case fresh(Route)
            /// The group has a row of its own, free to be taken.
            case tracked
            /// This group's row is this broker's.
            case held(group: String, attempts: Int)
        }

        package var seq: Int64
        package var kind: Kind

        package init(seq: Int64, kind: Kind) {
            self.seq = seq
            self.kind = kind
        }
    }

    package var rows: [Row]
    /// Every row up to this seq was seen, and is in `rows` or in memory. Not used for due rows.
    package var frontier: Int64
    /// Nothing more now.
    package var isEnd: Bool
    /// Where a look for strays goes on.
    package var next: FreshPlace?

    package init(rows: [Row], frontier: Int64 = .max, isEnd: Bool) {
        self.rows = rows
        self.frontier = frontier
        self.isEnd = isEnd
    }

    /// Merges a page of fresh messages and one of waiting rows, both ascending by seq and cut at `limit`, oldest first. Where
    /// one of them was cut, nothing beyond its end is taken from the other, so that the frontier holds for both.
    package static func backlog(fresh: [FreshMessage], waiting: [Int64], limit: Int) -> DeliveryScanResult {
        var frontier = Int64.max
        if fresh.count >= limit, let last = fresh.last { frontier = min(frontier, last.seq) }
        if waiting.count >= limit, let last = waiting.last { frontier = min(frontier, last) }
        var rows: [Row] = []
        rows.reserveCapacity(fresh.count + waiting.count)
        var (f, w) = (0, 0)
        while f < fresh.count || w < waiting.count {
            // A message that turned from fresh to tracked between the two reads is in both: once is enough.
            if w == waiting.count || (f < fresh.count && fresh[f].seq < waiting[w]) {
                rows.append(Row(seq: fresh[f].seq, kind: .fresh(fresh[f].route)))
                f += 1
            } else {
                if f < fresh.count, fresh[f].seq == waiting[w] { f += 1 }
                rows.append(Row(seq: waiting[w], kind: .tracked))
                w += 1
            }
        }
        rows.removeAll { $0.seq > frontier }
        return DeliveryScanResult(rows: rows, frontier: frontier, isEnd: frontier == .max)
    }

    /// A page of rows above `after` that the store has as this broker's, ascending by seq and cut at `limit`. A message has a row
    /// for each group, so a full page may end within one: the next begins with it again.
    package static func orphans(held: [HeldDelivery], after: Int64, limit: Int) -> DeliveryScanResult {
        let rows = held.map { Row(seq: $0.seq, kind: .held(group: $0.group, attempts: $0.attempts)) }
        guard held.count >= limit, let last = held.last?.seq else {
            return DeliveryScanResult(rows: rows, frontier: held.last?.seq ?? after, isEnd: true)
        }
        // A page of nothing but one message: on from there, or it would be read for ever.
        return DeliveryScanResult(rows: rows, frontier: last - 1 > after ? last - 1 : last, isEnd: false)
    }

    package static func strays(_ messages: [FreshMessage], next: FreshPlace?) -> DeliveryScanResult {
        var result = DeliveryScanResult(
            rows: messages.map { Row(seq: $0.seq, kind: .fresh($0.route)) }, isEnd: next == nil)
        result.next = next
        return result
    }

    /// Keeps only the first `count` rows, as if the page had ended there.
    package mutating func keep(first count: Int) {
        guard count < rows.count else { return }
        rows.removeSubrange(count...)
        isEnd = false
        if let last = rows.last { frontier = min(frontier, last.seq) }
    }
}
