import KiteQCore
import MariaDB

/// Counts over time, in the first shard.
extension Shard {
    func addSamples(_ samples: [TopicSample]) async throws {
        // In the order of the key: brokers that add at the same time do not wait for each other in a circle.
        let sorted = samples.sorted { ($0.at, $0.broker, $0.topic) < ($1.at, $1.broker, $1.topic) }
        var refusals = Refusals()
        try await inParts(sorted, "write the counts of", &refusals) { samples in
            let batch = Self.rows(samples)
            try await run { connection in
                try connection.transaction {
                    try connection.insert(into: OperatorSQL.insertSamples, batch, tail: OperatorSQL.addSamples)
                }
            }
        }
    }

    private static func rows(_ samples: [TopicSample]) -> MariaDBBatch {
        var rows = MariaDBBatch([.int, .bytes, .bytes, .int, .int, .int, .int, .int])
        for sample in samples {
            rows.append(sample.at)
            rows.append(sample.broker)
            rows.append(sample.topic)
            rows.append(Int64(sample.counters.published))
            rows.append(Int64(sample.counters.committed))
            rows.append(Int64(sample.counters.delivered))
            rows.append(Int64(sample.counters.acknowledged))
            rows.append(Int64(sample.counters.deadLettered))
        }
        return rows
    }
}

extension Shard {
    func topicSeries(
        of topics: [String]?, from: Timestamp, before: Timestamp, step: Timestamp
    ) async throws -> TopicSeries {
        let range: [MariaDBValue] = [.int(step), .int(from), .int(before)]
        return try await ask { connection, _ in
            var sums: [Timestamp: TopicCounters] = [:]
            func add(_ row: MariaDBRow) throws {
                sums[try row.int(0), default: .init()] += TopicCounters(
                    published: Int(try row.int(1)), committed: Int(try row.int(2)), delivered: Int(try row.int(3)),
                    acknowledged: Int(try row.int(4)), deadLettered: Int(try row.int(5)))
            }
            if let topics {
                let list = topics.map { MariaDBValue.text($0) }
                try connection.query(OperatorSQL.seriesOfTopics, list: list, before: range, add)
            } else {
                for row in try connection.query(OperatorSQL.series, range) { try add(row) }
            }
            return TopicSeries(sums, step: step)
        }
    }

    /// Old samples, and what the audit log keeps no longer; at most `limit` rows of each. Returns how many went.
    func purgeOperators(auditRetention: Duration, limit: Int) async throws -> Int {
        let now = self.now
        let samples = MariaDBValue.int(now - TopicSample.retention)
        let audit = MariaDBValue.int(now - Timestamp(auditRetention / .milliseconds(1)))
        return try await run { connection in
            try Self.remove(OperatorSQL.purgeSamples, [samples], limit: limit, on: connection)
                + Self.remove(OperatorSQL.purgeAudit, [audit], limit: limit, on: connection)
        }
    }
}
