import KiteQCore

/// What operators left in an in-memory store: what the SQL store has in the first shard.
struct InMemoryOperatorData: Sendable {
    struct SampleKey: Sendable, Hashable {
        var at: Timestamp
        var broker: String
        var topic: String
    }

    var pauses: [String: GroupPause] = [:]
    var samples: [SampleKey: TopicCounters] = [:]
    /// Oldest first.
    var audit: [AuditEntry] = []
    var lastAudit: Int64 = 0

    mutating func add(_ added: [TopicSample]) {
        for sample in added {
            samples[SampleKey(at: sample.at, broker: sample.broker, topic: sample.topic), default: .init()] +=
                sample.counters
        }
    }
}
