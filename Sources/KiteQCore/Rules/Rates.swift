import DequeModule

/// Counters that are looked at each second, as rates: over the last ten seconds, and over about the last minute.
package struct Rates: Sendable {
    /// What only grows, unless its owner was forgotten and begins anew.
    package struct Counts: Sendable, Hashable {
        package var published: Int
        package var delivered: Int
        package var acknowledged: Int
        /// Deliveries that were refused, not answered in time, or lost with their connection.
        package var failed: Int
        /// Of these, the ones not answered in time.
        package var timedOut: Int

        package init(
            published: Int = 0, delivered: Int = 0, acknowledged: Int = 0, failed: Int = 0, timedOut: Int = 0
        ) {
            self.published = published
            self.delivered = delivered
            self.acknowledged = acknowledged
            self.failed = failed
            self.timedOut = timedOut
        }
    }

    /// All counters at one moment.
    package struct Sample: Sendable, Hashable {
        package var total: Counts
        package var topics: [BindingName: Counts]
        package var groups: [BindingName: Counts]

        package init(
            total: Counts = Counts(), topics: [BindingName: Counts] = [:], groups: [BindingName: Counts] = [:]
        ) {
            self.total = total
            self.topics = topics
            self.groups = groups
        }
    }

    /// How many there were in each second.
    package struct Rate: Sendable, Hashable {
        package var published = 0.0
        package var delivered = 0.0
        package var acknowledged = 0.0
        package var failed = 0.0
        package var timedOut = 0.0

        package init(
            published: Double = 0, delivered: Double = 0, acknowledged: Double = 0, failed: Double = 0,
            timedOut: Double = 0
        ) {
            self.published = published
            self.delivered = delivered
            self.acknowledged = acknowledged
            self.failed = failed
            self.timedOut = timedOut
        }
    }

    /// Both spans; shorter ones where it has not run for as long.
    package struct Spans: Sendable, Hashable {
        package var tenSeconds = Rate()
        package var minute = Rate()
    }

    private struct Entry: Sendable {
        var at: MonotonicTime
        var sample: Sample
    }

    private static let second: MonotonicTime = 1_000_000_000
    /// The last ten seconds, each of them,
    private var recent = Deque<Entry>()
    /// and every tenth second of a minute before: memory goes with the number of groups.
    private var older = Deque<Entry>()

    package init() {}

    /// To be called about once in a second.
    package mutating func add(_ sample: Sample, now: MonotonicTime) {
        let entry = Entry(at: now, sample: sample)
        recent.append(entry)
        // One that is as old as the span, or older, stays as its beginning.
        while recent.count > 1, recent[1].at <= now - 10 * Self.second { recent.removeFirst() }
        if older.last.map({ now - $0.at >= 10 * Self.second }) ?? true { older.append(entry) }
        while older.count > 1, older[1].at <= now - 60 * Self.second { older.removeFirst() }
    }

    package var total: Spans { spans { $0.total } }

    /// By name; of those that the last sample had.
    package var topics: [BindingName: Spans] { all(\.topics) }
    package var groups: [BindingName: Spans] { all(\.groups) }

    private func all(_ counts: KeyPath<Sample, [BindingName: Counts]>) -> [BindingName: Spans] {
        guard let last = recent.last else { return [:] }
        var result: [BindingName: Spans] = [:]
        for name in last.sample[keyPath: counts].keys {
            result[name] = spans { $0[keyPath: counts][name] ?? Counts() }
        }
        return result
    }

    private func spans(_ counts: (Sample) -> Counts) -> Spans {
        guard let last = recent.last else { return Spans() }
        return Spans(
            tenSeconds: rate(from: recent.first, to: last, counts), minute: rate(from: older.first, to: last, counts))
    }

    private func rate(from first: Entry?, to last: Entry, _ counts: (Sample) -> Counts) -> Rate {
        guard let first, last.at > first.at else { return Rate() }
        let (old, new) = (counts(first.sample), counts(last.sample))
        let seconds = Double(last.at - first.at) / Double(Self.second)
        func perSecond(_ count: KeyPath<Counts, Int>) -> Double {
            // One that is smaller began anew meanwhile.
            let grown = new[keyPath: count] - old[keyPath: count]
            return Double(grown < 0 ? new[keyPath: count] : grown) / seconds
        }
        return Rate(
            published: perSecond(\.published), delivered: perSecond(\.delivered),
            acknowledged: perSecond(\.acknowledged), failed: perSecond(\.failed), timedOut: perSecond(\.timedOut))
    }
}
