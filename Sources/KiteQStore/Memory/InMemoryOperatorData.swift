import KiteQCore

/// What operators left in an in-memory store: what the SQL store has in the first shard.
struct InMemoryOperatorData: Sendable {
    struct SampleKey: Sendable, Hashable {
        var at: Timestamp
        var broker: String
        var topic: String
    }

    private static let auditRetention: Timestamp = 365 * 86_400 * 1_000

    var pauses: [String: GroupPause] = [:]
    private var samples: [SampleKey: TopicCounters] = [:]
    /// Oldest first.
    private var audit: [AuditEntry] = []
    private var lastAudit: Int64 = 0

    // MARK: Samples

    mutating func add(_ added: [TopicSample]) {
        for sample in added {
            samples[SampleKey(at: sample.at, broker: sample.broker, topic: sample.topic), default: .init()] +=
                sample.counters
        }
    }

    func series(of topics: [String]?, from: Timestamp, before: Timestamp, step: Timestamp) -> TopicSeries {
        let topics = topics.map { Set($0.map(BindingName.init)) }
        var sums: [Timestamp: TopicCounters] = [:]
        for (key, counters) in samples
        where key.at >= from && key.at < before && topics?.contains(BindingName(key.topic)) ?? true {
            sums[key.at - key.at % step, default: .init()] += counters
        }
        return TopicSeries(sums, step: step)
    }

    // MARK: Audit log

    mutating func append(_ entry: AuditEntry, now: Timestamp) -> Int64 {
        lastAudit += 1
        var entry = entry.cut
        (entry.id, entry.at) = (lastAudit, now)
        audit.append(entry)
        return lastAudit
    }

    func audit(before id: Int64?, limit: Int) -> [AuditEntry] {
        Array(audit.reversed().lazy.filter { entry in id.map { entry.id < $0 } ?? true }.prefix(limit))
    }

    // MARK: Purging

    mutating func purge(now: Timestamp, limit: Int) -> Int {
        let samplesBefore = now - TopicSample.retention
        let old = samples.keys.filter { $0.at < samplesBefore }.sorted { $0.at < $1.at }.prefix(limit)
        for key in old { samples[key] = nil }
        let entries = audit.prefix { $0.at < now - Self.auditRetention }.prefix(limit).count
        audit.removeFirst(entries)
        return old.count + entries
    }
}
