import KiteQCore

/// Where looks at rows that are anybody's begin: at the first one that the last look found, or, where it found none, a minute before
/// now. What is below came late, from a broker whose writes waited for long, or is of an old message that a broker let go of: a full
/// look finds it (``FullLooks``).
struct PlaceMarks: Sendable {
    /// Milliseconds between now and a mark where nothing was found.
    private static let margin: Timestamp = 60_000

    /// By group: delivery rows that wait for it have no smaller seq; those that become due, no earlier time.
    private var waiting: [String: Int64] = [:]
    private var due: [String: Timestamp] = [:]
    /// Deliveries that this broker holds in memory, and those that nobody does, have no smaller seq.
    private var held: Int64 = 0
    private var expiring: Int64 = 0
    /// When half messages are due.
    private var undecided: Timestamp = .min
    /// Decided transactions by outcome; dead letters.
    private var decided: [TransactionOutcome: Timestamp] = [:]
    private var letters: Timestamp = .min
    private var oldest: Int64 = -1

    /// The smallest seq and the earliest time to look from.
    func start(of group: String) -> (waitingAbove: Int64, dueFrom: Timestamp) {
        (max(0, (waiting[group] ?? 0) - 1), max(1, due[group] ?? 1))
    }

    mutating func looked(for group: String, waiting seq: Int64?, due time: Timestamp?, now: Timestamp) {
        waiting[group] = seq ?? Self.seq(before: now)
        due[group] = min(time ?? .max, now - Self.margin)
    }

    /// Deliveries that this broker has written, and so holds in memory or has let go of.
    mutating func written(_ settlements: [Settlement]) {
        for settlement in settlements {
            for row in settlement.pending {
                if row.isHeld {
                    holds(seq: settlement.seq)
                    continue
                }
                freed(seq: settlement.seq)
                if row.dueAt == 0 {
                    if let mark = waiting[row.group] { waiting[row.group] = min(mark, settlement.seq) }
                } else if let mark = due[row.group] {
                    due[row.group] = min(mark, row.dueAt)
                }
            }
        }
    }

    /// What dead brokers held is due since long.
    mutating func releasedDead() { due = [:] }

    var heldAbove: Int64 { held }
    mutating func lookedForHeld(first: Int64?, now: Timestamp) { held = max(0, (first ?? Self.seq(before: now)) - 1) }
    /// This broker holds a delivery in memory.
    mutating func holds(seq: Int64) { held = min(held, max(0, seq - 1)) }

    var expiringAbove: Int64 { expiring }
    mutating func lookedForExpiring(first: Int64?, now: Timestamp) {
        expiring = max(0, (first ?? Self.seq(before: now)) - 1)
    }
    mutating func freed(seq: Int64) { expiring = min(expiring, max(0, seq - 1)) }

    var undecidedFrom: Timestamp { undecided }
    mutating func lookedForUndecided(first: Timestamp?, now: Timestamp) {
        undecided = min(first ?? .max, now - Self.margin)
    }

    func decidedFrom(_ outcome: TransactionOutcome) -> Timestamp { decided[outcome] ?? .min }
    mutating func purged(_ outcome: TransactionOutcome, upTo time: Timestamp, now: Timestamp) {
        decided[outcome] = min(time, now - Self.margin)
    }

    var lettersFrom: Timestamp { letters }
    mutating func purgedLetters(upTo time: Timestamp, now: Timestamp) { letters = min(time, now - Self.margin) }

    var oldestAbove: Int64 { oldest }
    mutating func lookedForOldest(_ seq: Int64?, now: Timestamp) {
        oldest = max(-1, (seq ?? Self.seq(before: now)) - 1)
    }

    private static func seq(before now: Timestamp) -> Int64 { SequenceGenerator.smallest(at: now - margin) }
}
