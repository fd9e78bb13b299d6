import KiteQCore

/// Answers that the store does not take for now, while it takes others: kept apart, in their order for each message, and due
/// again after a while that doubles. Bounded in answers.
struct AnswersAside {
    private struct Entry {
        /// In the order in which they came.
        var answers: [TransactionAnswer]
        var dueAt: MonotonicTime
        var wait = AnswersAside.firstWait
        /// It is being tried.
        var isUnderWay = false
    }

    /// Nanoseconds.
    static let firstWait: MonotonicTime = 1_000_000_000
    static let longestWait: MonotonicTime = 10_000_000_000

    let capacity: Int
    private(set) var count = 0
    private var entries: [MessageID: Entry] = [:]

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Whether answers to a message wait here; later ones have to wait behind them.
    func has(_ id: MessageID) -> Bool { entries[id] != nil }

    /// Puts one aside, behind those to the same message; false where there is no room. Messages are not held here: their bytes
    /// are in the store.
    mutating func put(_ answer: TransactionAnswer, now: MonotonicTime) -> Bool {
        guard count < capacity else { return false }
        var answer = answer
        answer.message = nil
        answer.decision.needsContent = true
        count += 1
        entries[answer.decision.messageID, default: Entry(answers: [], dueAt: now + Self.firstWait)]
            .answers.append(answer)
        return true
    }

    /// When the next is due; nil where none waits.
    var nextDue: MonotonicTime? { entries.values.lazy.filter { !$0.isUnderWay }.map(\.dueAt).min() }

    /// The first answer to each message that is due, at most so many, those that wait longest first. Each must be ended by
    /// `passed`, `failed`, or `untried`.
    mutating func take(limit: Int, now: MonotonicTime) -> [TransactionAnswer] {
        let due = entries.filter { !$0.value.isUnderWay && $0.value.dueAt <= now }
            .sorted { ($0.value.dueAt, $0.key) < ($1.value.dueAt, $1.key) }.prefix(limit)
        return due.compactMap { id, entry in
            entries[id]?.isUnderWay = true
            return entry.answers.first
        }
    }

    /// It is done: what waits behind it is due.
    mutating func passed(_ id: MessageID, now: MonotonicTime) {
        guard var entry = entries[id] else { return }
        entry.answers.removeFirst()
        count -= 1
        entry.isUnderWay = false
        entry.dueAt = now
        entry.wait = Self.firstWait
        entries[id] = entry.answers.isEmpty ? nil : entry
    }

    /// It is not taken yet.
    mutating func failed(_ id: MessageID, now: MonotonicTime) {
        entries[id]?.isUnderWay = false
        guard let wait = entries[id]?.wait else { return }
        entries[id]?.wait = min(wait * 2, Self.longestWait)
        entries[id]?.dueAt = now + min(wait * 2, Self.longestWait)
    }

    /// It was not looked at, and is due; or it is due as what is given here.
    mutating func untried(_ answer: TransactionAnswer) {
        entries[answer.decision.messageID]?.isUnderWay = false
        entries[answer.decision.messageID]?.answers[0] = answer
    }

    mutating func removeAll() {
        self = AnswersAside(capacity: capacity)
    }
}
