/// Settlements that the store does not take for now, while it takes others: kept apart, in their order for each message, and
/// due again after a while that doubles.
package struct SettlementsAside: Sendable {
    private struct Entry {
        /// In the order in which they were decided.
        var settlements: [Settlement]
        var dueAt: MonotonicTime
        var wait: MonotonicTime
        /// It is being tried.
        var isUnderWay = false
    }

    /// Nanoseconds.
    package static let firstWait: MonotonicTime = 1_000_000_000
    package static let longestWait: MonotonicTime = 60_000_000_000

    private var entries: [Int64: Entry] = [:]

    package init() {}

    /// Messages that wait here.
    package var count: Int { entries.count }

    /// Puts one aside that the store did not take.
    package mutating func put(_ settlement: Settlement, now: MonotonicTime) {
        precondition(entries[settlement.seq] == nil, "what is put aside is the first of its message")
        entries[settlement.seq] = Entry(
            settlements: [settlement], dueAt: now + Self.firstWait, wait: Self.firstWait)
    }

    /// One that must wait for what is here of its message; false where there is nothing.
    package mutating func queue(_ settlement: Settlement) -> Bool {
        guard entries[settlement.seq] != nil else { return false }
        entries[settlement.seq]?.settlements.append(settlement)
        return true
    }

    /// When the next is due; nil where none waits.
    package var nextDue: MonotonicTime? { entries.values.lazy.filter { !$0.isUnderWay }.map(\.dueAt).min() }

    /// The first of each message that is due, at most so many, those that failed least often first: what is never taken keeps no
    /// other from its turn. Each must be ended by `passed`, `failed` or `gaveBack`.
    package mutating func take(limit: Int, now: MonotonicTime) -> [Settlement] {
        let due = entries.filter { !$0.value.isUnderWay && $0.value.dueAt <= now }
        let turn = due.sorted { ($0.value.wait, $0.key) < ($1.value.wait, $1.key) }.map(\.key).prefix(limit)
        return turn.compactMap { seq in
            entries[seq]?.isUnderWay = true
            return entries[seq]?.settlements.first
        }
    }

    /// The store has taken it: what waits behind it is due.
    package mutating func passed(_ seq: Int64, now: MonotonicTime) {
        guard var entry = entries[seq] else { return }
        entry.settlements.removeFirst()
        entry.isUnderWay = false
        entry.dueAt = now
        entry.wait = Self.firstWait
        entries[seq] = entry.settlements.isEmpty ? nil : entry
    }

    /// The store does not take it yet.
    /// - Parameter rest: what is left of it, where some of it was written.
    package mutating func failed(_ seq: Int64, rest: Settlement?, now: MonotonicTime) {
        guard var entry = entries[seq] else { return }
        if let rest { entry.settlements[0] = rest }
        entry.isUnderWay = false
        entry.wait = min(entry.wait * 2, Self.longestWait)
        entry.dueAt = now + entry.wait
        entries[seq] = entry
    }

    /// It was not tried after all, or not alone: nothing is known of it that was not before.
    /// - Parameter settlement: what is left of it.
    package mutating func gaveBack(_ settlement: Settlement, now: MonotonicTime) {
        guard var entry = entries[settlement.seq] else { return }
        entry.settlements[0] = settlement
        entry.isUnderWay = false
        entry.dueAt = now + Self.firstWait
        entries[settlement.seq] = entry
    }
}
